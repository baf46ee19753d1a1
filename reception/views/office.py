"""HR's side of the reception: widgets, what the filter set aside, promises, figures."""

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person, Site, Team, TeamKind
from campaigns.wakeups import nudge
from reception import areas, cards, promises, widgets
from reception import quarantine as verbs
from reception.models import (
    USUAL_DAYS,
    Inquiry,
    JobArea,
    MonthFigure,
    Promise,
    Widget,
)
from reception.tasks import send_letters

from .public import word


def _numbers(values: list[str]) -> list[int]:
    return [int(n) for n in values if n.isascii() and n.isdecimal() and len(n) < 9]


def _wanted(request: HttpRequest) -> widgets.Wanted:
    typed = request.POST
    days = typed.get("answer_days", "").strip()
    keys = [word(key) for key in typed.getlist("cards")]
    return widgets.Wanted(
        title=typed.get("title", ""),
        areas=list(JobArea.objects.filter(slug__in=[word(s) for s in typed.getlist("areas")])),
        sites=list(Site.objects.filter(pk__in=_numbers(typed.getlist("sites")))),
        cards=list(cards.public(timezone.localdate()).filter(key__in=keys)),
        origins=typed.get("origins", "").splitlines()[:100],
        theme=typed.get("theme", ""),
        language=typed.get("language", ""),
        answer_days=(_numbers([days]) or [0])[0] if days else None,
    )


def widget_list(request: HttpRequest) -> HttpResponse:
    """All widgets, and a new one."""
    wrong: dict[str, str] = {}
    if request.method == "POST":
        person = cast("Person", request.user)
        try:
            made = widgets.save(widget=None, wanted=_wanted(request), by=person, now=timezone.now())
        except widgets.WidgetRefused as refused:
            wrong = {refused.field: refused.sentence}
        else:
            messages.success(request, _("Made. Below stands what to paste."))
            return redirect("widget", pk=made.pk)
    rows = Widget.objects.filter(retired_at__isnull=True)
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    context = _choices() | {"page": page, "wrong": wrong, "has": _typed(request), "q": ""}
    return render(request, "widgets.html", context, status=422 if wrong else 200)


def widget(request: HttpRequest, pk: int) -> HttpResponse:
    """One widget: what to paste, and its form."""
    found = get_object_or_404(Widget, pk=pk)
    person, now = cast("Person", request.user), timezone.now()
    wrong: dict[str, str] = {}
    if request.method == "POST":
        if request.POST.get("act") == "retire":
            widgets.retire(widget=found, by=person, now=now)
            messages.success(request, _("Taken off every site. The link leads to the page."))
            return redirect("widgets")
        try:
            widgets.save(widget=found, wanted=_wanted(request), by=person, now=now)
        except widgets.WidgetRefused as refused:
            wrong = {refused.field: refused.sentence}
        else:
            messages.success(request, _("Saved. It holds with the next look at the widget."))
            return redirect("widget", pk=pk)
    context = _choices() | {
        "widget": found,
        "snippets": widgets.snippets(found),
        "wrong": wrong,
        "has": _typed(request) if wrong else _standing(found),
    }
    return render(request, "widget_edit.html", context, status=422 if wrong else 200)


def _choices() -> dict[str, Any]:
    return {
        "at": "widgets",
        "all_areas": JobArea.objects.all(),
        "all_sites": Site.objects.all(),
        "all_cards": cards.public(timezone.localdate()),
        "themes": Widget.Theme.choices,
        "languages": Person.Language.choices,
        "usual": USUAL_DAYS,
    }


def _typed(request: HttpRequest) -> dict[str, Any]:
    typed = request.POST
    return {name: typed.get(name, "") for name in ("title", "origins", "theme", "language")} | {
        "areas": typed.getlist("areas"),
        "sites": _numbers(typed.getlist("sites")),
        "cards": typed.getlist("cards"),
        "answer_days": typed.get("answer_days", ""),
    }


def _standing(found: Widget) -> dict[str, Any]:
    return {
        "title": found.title,
        "origins": "\n".join(found.origins),
        "theme": found.theme,
        "language": found.language,
        "areas": [area.slug for area in found.areas.all()],
        "sites": [site.pk for site in found.sites.all()],
        "cards": [card.key for card in found.cards.all()],
        "answer_days": found.answer_days or "",
    }


def quarantine(request: HttpRequest) -> HttpResponse:
    """What the filter set aside; let on its way, or taken for spam."""
    person, now = cast("Person", request.user), timezone.now()
    if request.method == "POST":
        numbers = _numbers([request.POST.get("pk", "")])
        found = Inquiry.objects.filter(pk__in=numbers).select_related("widget").first()
        act = request.POST.get("act", "")
        done = False
        if found and act == "release":
            done = verbs.release(inquiry=found, by=person, now=now)
            nudge(send_letters)
        elif found and act == "discard":
            done = verbs.discard(inquiry=found, by=person, now=now)
        elif found and act == "take_back":
            done = verbs.take_back(inquiry=found, by=person, now=now)
        messages.success(request, _("Done.") if done else _("Somebody was faster."))
        return redirect("quarantine")
    shown = "discarded" if request.GET.get("show") == "discarded" else "quarantined"
    rows = Inquiry.objects.filter(state=shown).prefetch_related("messages").order_by("pk")
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    context = {"at": "quarantine", "page": page, "shown": shown, "q": ""}
    return render(request, "quarantine.html", context)


def answers(request: HttpRequest) -> HttpResponse:
    """How fast teams promise to answer, the areas of work, and figures of whole months."""
    person, now = cast("Person", request.user), timezone.now()
    wrong: dict[str, str] = {}
    if request.method == "POST":
        typed = request.POST
        try:
            if typed.get("act") == "promise":
                team = get_object_or_404(_teams(), pk=(_numbers([typed.get("team", "")]) or [0])[0])
                days = (_numbers([typed.get("answer_days", "")]) or [0])[0]
                promises.set_days(team=team, days=days, by=person, now=now)
            elif typed.get("act") == "area":
                areas.add(
                    name_de=typed.get("name_de", ""), name_en=typed.get("name_en", ""),
                    by=person, now=now,
                )  # fmt: skip
            elif typed.get("act") == "remove":
                areas.remove(slug=word(typed.get("slug", "")), by=person, now=now)
        except (areas.AreaRefused, promises.PromiseRefused) as refused:
            wrong = {refused.field: refused.sentence}
        else:
            messages.success(request, _("Saved."))
            return redirect("answers")
    kept = dict(Promise.objects.values_list("team", "answer_days"))
    context = {
        "at": "answers",
        "teams": [(team, kept.get(team.pk, USUAL_DAYS)) for team in _teams()],
        "all_areas": JobArea.objects.all(),
        "figures": MonthFigure.objects.select_related("team")[:60],
        "typed": request.POST,
        "wrong": wrong,
    }
    return render(request, "answers.html", context, status=422 if wrong else 200)


def _teams() -> Any:
    return Team.objects.filter(kind__behaviour=TeamKind.Behaviour.CONTACT)
