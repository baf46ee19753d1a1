"""The desk: lights, board, week. Keep the situation safe; move drafts."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import savedviews
from ambassadors.models import Person, SavedView
from campaigns import proposals
from campaigns.models import Suggestion, Topic
from campaigns.models.programme import ContentClass
from campaigns.refusals import FieldRefused
from curation import acts, board, copies, tones
from curation.board import Wanted
from curation.calendars import Span
from curation.models import Act

from . import calendar
from .briefings import curators
from .times import Unclear, moment
from .tones import labels as tone_labels

_PAGE = 24


def desk(request: HttpRequest) -> HttpResponse:
    """The whole page; on POST one act on the chosen suggestions, and back to what was looked at."""
    person, now = cast("Person", request.user), timezone.now()
    wanted = Wanted.read(request.GET)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            _act(request, person, now)
        except _Doubt as doubt:
            errors = {doubt.field: doubt.sentence}
        else:
            return redirect(_address(wanted, "done"))
    done = acts.undoable(person, now)
    context = {
        "now": now,
        "curators": list(curators()),
        "classes": ContentClass.choices,
        "languages": Person.Language.choices,
        "acts": [what for what in Act.What.choices if what[0] != Act.What.BEGIN],
        "wanted": wanted,
        "here": wanted.query(),
        "bare": Wanted(lane=wanted.lane).query(),
        "all_lanes": wanted.query(lane=""),
        "views": savedviews.of(person, SavedView.Page.DESK),
        "done": done,
        "undo_until": done and done.at + acts.UNDO,
        "typed": request.POST,
        "picked": set(request.POST.getlist("pick")),
        "errors": errors,
        **_tickets(wanted, person, now, request.GET.get("page", "")),
    }
    return render(request, "desk.html", context, status=422 if errors else 200)


def _address(wanted: Wanted, anchor: str) -> str:
    return f"{reverse('desk')}?{wanted.query()}#{anchor}"


def _labels() -> dict[str, str]:
    return {
        "draft": _("Draft"),
        "review": _("To review"),
        "planned": _("Planned"),
        "out": _("Out"),
        "patterns": _("Patterns"),
        "over": _("Over"),
        "withdrawn": _("Withdrawn"),
    }


def _tickets(wanted: Wanted, person: Person, now: dt.datetime, page: str) -> dict[str, Any]:
    """Four lanes beside each other, or all of the one that is asked for, page by page."""
    rows, labels = wanted.rows(person), _labels()
    if wanted.lane:
        found = board.ordered(rows.filter(board.in_lane(wanted.lane, now)), wanted.lane)
        leaf = Paginator(found, _PAGE).get_page(page)
        board.add_use(cast("QuerySet[Suggestion]", leaf.object_list))
        return {
            "topics": board.sorted_topics(),
            "page": leaf,
            "lane": wanted.lane,
            "lane_label": labels[wanted.lane],
        }
    complete = True
    if wanted.q:
        rows, complete = board.newest(rows)
    lanes: list[dict[str, Any]] = []
    for name in board.LANES:
        mine = rows.filter(board.in_lane(name, now))
        many = board.count(mine)
        lanes.append(
            {
                "name": name,
                "label": labels[name],
                "rows": list(board.ordered(mine, name)[: board.SHOWN]),
                "count": many,
                "most": not complete or many == board.MOST_COUNTED,
                "more": wanted.query(lane=name) if many > board.SHOWN else "",
            }
        )
    board.add_use(lanes[-1]["rows"])
    week = calendar.seen(Span.around("week", person.local(now).date()), person, now)
    shelves = [(labels[name], wanted.query(lane=name)) for name in board.SHELVES]
    return {
        "topics": board.topics(now),
        "ideas": proposals.waiting(now=now),
        "only_tone": tone_labels().get(tones.only_tone(now), ""),
        "lanes": lanes,
        "shelves": shelves,
        **week,
    }


class _Doubt(FieldRefused):
    """A field of the form cannot be taken."""


def _act(request: HttpRequest, person: Person, now: dt.datetime) -> None:
    """Do what the form asks for to what was ticked. Raises :class:`_Doubt`."""
    what = request.POST.get("act", "")
    if what not in Act.What.values or what == Act.What.BEGIN:
        raise _Doubt("act", _("Choose what to do."))
    chosen = [
        acts.Chosen(board.number(pk), board.number(revision))
        for pk, _colon, revision in (pick.partition(":") for pick in request.POST.getlist("pick"))
        if board.number(pk)
    ]
    if not chosen:
        raise _Doubt("pick", _("Tick at least one suggestion."))
    if len(chosen) > acts.MOST:
        raise _Doubt("pick", _("At most %(most)s at once, please.") % {"most": acts.MOST})
    value = _value(request, what, person, now)
    acts.perform(what=Act.What(what), chosen=chosen, value=value, by=person, now=now)


def _value(request: HttpRequest, what: str, person: Person, now: dt.datetime) -> acts.Value:
    """What an act needs beside the suggestions. Raises :class:`_Doubt`."""
    value: acts.Value = None
    match what:
        case Act.What.END if typed := request.POST.get("end", ""):
            try:
                return moment(typed, person, now)
            except Unclear as unclear:
                raise _Doubt("end", str(unclear)) from unclear
        case Act.What.END if not request.POST.get("no_end"):
            raise _Doubt("end", _("Write a day and a time, or tick “No end”."))
        case Act.What.TOPIC:
            value = Topic.objects.filter(pk=board.number(request.POST.get("to_topic", ""))).first()
            if value is None:
                raise _Doubt("to_topic", _("Choose a topic."))
        case Act.What.OWNER:
            wanted = board.number(request.POST.get("to_owner", ""))
            value = curators().filter(pk=wanted).first()
            if value is None:
                raise _Doubt("to_owner", _("Choose somebody."))
    return value


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Put back what an act of the person's changed, and show what became of it."""
    person, now = cast("Person", request.user), timezone.now()
    act = get_object_or_404(Act, pk=pk)
    try:
        acts.undo(act=act, by=person, now=now)
    except acts.TooLate:
        messages.error(request, _("This cannot be undone any more: five minutes have passed."))
    if request.GET.get("to") == "calendar":
        span = Span.read(request.GET, person.local(now).date())
        return redirect(f"{reverse('calendar')}?{span.query}#done")
    return redirect(_address(Wanted.read(request.GET), "done"))


@require_POST
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Start a draft from a suggestion or a pattern, and open it."""
    person, now = cast("Person", request.user), timezone.now()
    made = copies.duplicate(suggestion=get_object_or_404(Suggestion, pk=pk), by=person, now=now)
    messages.success(request, _("A copy, as a draft of yours. Nothing else changed."))
    return redirect("suggestion_edit", pk=made.pk)


@require_POST
def pattern(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a suggestion as a pattern under its title, or end that."""
    person, now = cast("Person", request.user), timezone.now()
    suggestion = get_object_or_404(Suggestion, pk=pk)
    name = "" if suggestion.pattern else suggestion.title[:60]
    copies.keep_as_pattern(suggestion=suggestion, name=name, by=person, now=now)
    said = _("Kept as a pattern for everybody here.") if name else _("No pattern any more.")
    messages.success(request, said)
    return redirect(_address(Wanted.read(request.GET), "board-h"))


@require_POST
def keep_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the address under a name; a name that is there already is replaced."""
    person, wanted = cast("Person", request.user), Wanted.read(request.GET)
    name = request.POST.get("name", "")
    try:
        kept = savedviews.keep(by=person, page=SavedView.Page.DESK, name=name, query=wanted.query())
    except savedviews.NothingToKeep:
        messages.error(request, _("Filter something and write a name, then it can be kept."))
    except savedviews.TooMany:
        messages.error(request, _("Twenty views are the most. Let one go first."))
    else:
        messages.success(request, _("Kept as “%(name)s”. Only you see it.") % {"name": kept.name})
    return redirect(_address(wanted, "board-h"))


@require_POST
def drop_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one of the person's views go."""
    savedviews.drop(by=cast("Person", request.user), page=SavedView.Page.DESK, pk=pk)
    return redirect(_address(Wanted.read(request.GET), "board-h"))
