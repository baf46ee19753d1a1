"""What came of a month: a finding, then its proof; a page to print, a file, two months compared.

Everything here was told for good when the month was closed. The page counts nobody anew, and what
an address asks for chooses among closed months and nothing else.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.template.defaultfilters import date as written
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from advocacy.templatetags.look import net_name
from ambassadors import audit, sheets
from ambassadors.memberships import later
from ambassadors.models import Person
from campaigns import months
from campaigns.models import Programme, Suggestion
from campaigns.months import Cell, Month
from curation import tones
from curation.views.tones import labels
from people import adoption

_CLEARLY = 1.2  # times as many, from which on a headline says so


@dataclass(frozen=True, slots=True)
class Line:
    """A figure with its name, where it comes from, and what it was in the other month.

    ``own`` is drawn in blue; ``over``: it is above the goal.
    """

    name: str
    value: str
    source: str
    before: str = ""
    own: bool = False
    over: bool = False


def analytics(request: HttpRequest) -> HttpResponse:
    """The month that was asked for, beside another."""
    closed = months.closed()
    month, beside = _chosen(request.GET, closed)
    context: dict[str, Any] = {
        "closed": closed,
        "month": month,
        "beside": beside,
        "next": _next(timezone.now()),
        "goal": tones.GOAL,
    }
    if month:
        context |= _page(month, beside)
    return render(request, "analytics.html", context)


def _chosen(asked: Any, closed: list[Month]) -> tuple[Month | None, Month | None]:
    """The month, the newest without a choice; and the other, the one before without a choice."""
    by = {f"{month.first:%Y-%m}": month for month in closed}
    month = by.get(asked.get("month", ""), closed[0] if closed else None)
    earlier = [one for one in closed if month and one.first < month.first]
    beside = by.get(asked.get("beside", ""), earlier[0] if earlier else None)
    return month, None if beside is month or asked.get("beside") == "none" else beside


def _next(now: dt.datetime) -> dt.date:
    """The day on which the next month is told."""
    day = Programme.the().today(now)
    ripe = day.replace(day=1 + months.RIPE.days)
    return ripe if day < ripe else later(ripe, 1)


def _page(month: Month, beside: Month | None) -> dict[str, Any]:
    begin, end = months.span(month.first)
    mix = tones.mix(begin, end)
    names = labels()
    return {
        "finding": month.finding,
        "times": _times(month),
        "lines": lines(month, beside),
        "words": _words(month),
        "tables": _tables(month, beside),
        "adoption": steps(adoption.of(month.first)),
        "tones": [(tone, names[tone], n) for tone, n in mix.items() if n],
        "toneboxes": _boxes(mix),
        "unused": _unused(month),
        "value": formula(worth) if (worth := months.value(month)) else "",
    }


def _times(month: Month) -> str:
    """How many times as many conversations; empty where it is not a clear difference."""
    if month.finding is None:
        return ""
    own, kept = (cell.talk or 0 for cell in month.finding)
    return _number(round(own / kept, 1)) if kept and own / kept >= _CLEARLY else ""


def _number(value: float | None) -> str:
    return "" if value is None else number_format(value, force_grouping=True)


def _least(value: int | None) -> str:
    return _("too few to tell") if value is None else f"{_number(value)}+"


def _share(value: int | None) -> str:
    return _("too few to tell") if value is None else f"{_number(value)} %"


def _rate(value: float | None) -> str:
    return _("too few to tell") if value is None else _number(value)


def lines(month: Month, beside: Month | None) -> list[Line]:
    """The figures of the whole programme, each with its source."""
    measured, estimated = _("measured"), _("estimated")

    def told(of: Month) -> list[tuple[str, str, str]]:
        whole = cast("Cell", of.whole)
        return [
            (_("People who posted, at least"), _least(whole.people), measured),
            (_("Posts, at least"), _least(whole.posts), measured),
            (_("Own words"), _share(whole.own), measured),
            (_("Posts that sound alike"), _share(of.alike), measured),
            (_("Conversations, at least"), _least(of.talks), measured),
            (_("Conversations to a post"), _rate(whole.talk), measured),
            (_("Clicks, at least"), _least(of.clicks), estimated),
            (_("Clicks to a share with a link"), _rate(whole.clicks), estimated),
        ]

    rows = told(month)
    before = [value for _name, value, _source in told(beside)] if beside else [""] * len(rows)
    found = [Line(*row, old) for row, old in zip(rows, before, strict=True)]
    found[2] = replace(found[2], own=True)
    found[3] = replace(found[3], over=(month.alike or 0) > tones.GOAL)
    return found


def formula(worth: months.Value) -> str:
    """The range and how it comes about, in one line."""
    low, high = (number_format(euros, 2) for euros in worth.euros)
    return _(
        "%(from)s to %(to)s € = %(clicks)s clicks × %(low)s to %(high)s € for a bought click"
    ) % {
        "from": _number(worth.low),
        "to": _number(worth.high),
        "clicks": _number(worth.clicks),
        "low": low,
        "high": high,
    }


def _words(month: Month) -> list[dict[str, Any]]:
    """Columns of conversations to a post, by how much of it is its person's."""
    names = {"kept": _("word for word"), "near": _("a few words changed"),
             "own": _("in own words"), months.REST: _("all others")}  # fmt: skip
    cells = sorted(month.words, key=lambda cell: list(names).index(cell.key))
    most = max((cell.talk or 0 for cell in cells), default=0) or 1
    return [
        {
            "name": names[cell.key],
            "cell": cell,
            "height": round(180 * (cell.talk or 0) / most),
            "own": cell.own,
            "house": 100 - cell.own,
        }
        for cell in cells
    ]


def _label(grouping: str, key: str, month: Month) -> str:
    if key == months.REST:
        return _("All others together")
    if grouping == "networks":
        return net_name(key)
    return month.names.get(key) or _("Without a suggestion")


def _tables(month: Month, beside: Month | None) -> list[dict[str, Any]]:
    """Topics and networks, the most conversations first, the rest last."""
    titles = {"topics": _("By topic"), "networks": _("By network")}
    found = []
    for grouping, title in titles.items():
        cells: tuple[Cell, ...] = getattr(month, grouping)
        most = max((cell.talk or 0 for cell in cells), default=0) or 1
        ordered = sorted(cells, key=lambda cell: (cell.key == months.REST, -(cell.talk or 0)))
        rows = [
            {
                "name": _label(grouping, cell.key, month),
                "cell": cell,
                "width": f"{100 * (cell.talk or 0) / most:.1f}",
                "before": beside.cell(grouping, cell.key)
                if beside and cell.key != months.REST
                else None,
            }
            for cell in ordered
        ]
        found.append({"key": grouping, "title": title, "rows": rows})
    return found


def steps(told: adoption.Adoption | None) -> list[tuple[str, int | None]]:
    """The way from an invitation to a post."""
    if told is None:
        return []
    return [
        *(((_("invited by mail"), told.invited),) if told.invited else ()),
        (_("in a team, or took part"), told.joined),
        (_("rehearsed, or posted"), told.rehearsed),
        (_("posted on a network"), told.posted),
        (_("posted in this month"), told.active),
    ]


def _boxes(mix: dict[str, int]) -> list[tuple[str, str, str]]:
    """The bar of tones, a hundred wide."""
    x, boxes, whole = 0.0, [], sum(mix.values()) or 1
    for tone, n in mix.items():
        width = 100 * n / whole
        if n:
            boxes.append((tone, f"{x:.2f}", f"{max(width - 0.5, 0.5):.2f}"))
        x += width
    return boxes


def _unused(month: Month) -> list[tuple[str, int]]:
    """Topics with suggestions of this month that are not told by themselves, and how many."""
    begin, end = months.span(month.first)
    rows = Suggestion.objects.filter(
        state="approved", approved_at__gte=begin, approved_at__lt=end
    ).order_by("topic__title")
    offered = rows.values_list("topic", "topic__title").annotate(n=Count("pk"))
    told = {cell.key for cell in month.topics}
    return [(title, n) for topic, title, n in offered if str(topic) not in told]


# -- the file -----------------------------------------------------------------------------------


@require_POST
def export(request: HttpRequest) -> StreamingHttpResponse:
    """What the page tells, as a file for spreadsheets. That it left is noted."""
    german, now = request.POST.get("as") == "excel", timezone.now()
    closed = months.closed()
    month, beside = _chosen(request.POST, closed)
    person = cast("Person", request.user)
    told = f"{month.first:%Y-%m}" if month else "none"
    audit.record("analytics.exported", person, by=person, now=now, month=told)
    return sheets.download(_file(month, beside), name=f"figures-{told}", german=german)


def _file(month: Month | None, beside: Month | None) -> Iterator[list[str]]:
    """The lines of the file: group, figure, value, source, and the other month's value."""
    if month is None:
        yield [_("No month is told yet.")]
        return
    other = written(beside.first, "F Y") if beside else ""
    yield ["", _("Figure"), written(month.first, "F Y"), _("Source"), other]
    for line in lines(month, beside):
        yield [_("All"), line.name, line.value, line.source, line.before]
    if worth := months.value(month):
        yield [_("All"), _("Value in money"), formula(worth), _("estimated"), ""]
    for entry in _words(month):
        yield from _cells(_("Wording"), entry["name"], entry["cell"], None)
    for table in _tables(month, beside):
        for row in table["rows"]:
            yield from _cells(table["title"], row["name"], row["cell"], row["before"])
    for name, people in steps(adoption.of(month.first)):
        yield [_("The way in, at least"), name, _least(people), _("measured"), ""]


def _cells(group: str, name: str, cell: Cell, before: Cell | None) -> Iterator[list[str]]:
    told = [_values(cell), _values(before) if before else [""] * len(_values(cell))]
    measured, estimated = _("measured"), _("estimated")
    figures = (
        (_("people, at least"), measured),
        (_("posts, at least"), measured),
        (_("own words"), measured),
        (_("conversations to a post"), measured),
        (_("clicks to a share"), estimated),
    )
    for (figure, source), value, old in zip(figures, *told, strict=True):
        yield [f"{group}: {name}", figure, value, source, old]


def _values(cell: Cell) -> list[str]:
    return [_least(cell.people), _least(cell.posts), _share(cell.own), _rate(cell.talk),
            _rate(cell.clicks)]  # fmt: skip
