"""A talk request inside the house: speakers answer it, coordinators look after it."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST, require_safe

from ambassadors import memberships
from ambassadors.models import Person
from campaigns.proposals import NotTaken
from reception import talk_conflicts, talk_figures, talk_offers, talk_requests
from reception.models import Offer, Speaker, TalkRequest
from reception.speakers import ChangedMeanwhile
from reception.talk_fields import ZONES, wall_of
from reception.talk_forms import PreparationForm
from reception.talk_requests import NotAsked, TooLate

_PAGE = 25
STANDS = {
    "free": gettext_lazy("needs a speaker"),
    "thinking": gettext_lazy("speakers are asked"),
    "booked": gettext_lazy("booked"),
    "orphaned": gettext_lazy("needs a new speaker"),
    "was": gettext_lazy("was it held?"),
    "past": gettext_lazy("its date is over"),
    "held": gettext_lazy("held"),
    "declined": gettext_lazy("declined"),
    "cancelled": gettext_lazy("called off"),
    "lapsed": gettext_lazy("lapsed"),
}
_KINDS = {"free": "warn", "orphaned": "no", "booked": "ok", "held": "ok", "was": "warn"}


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """All requests for their coordinators: what waits first, then what is over."""
    person, now = _me(request), timezone.now()
    if not talk_requests.coordinates(person):
        raise PermissionDenied
    over = request.GET.get("show") == "over"
    rows = TalkRequest.objects.told(now)
    rows = rows.filter(state__in=TalkRequest.ENDED) if over else rows.open()
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(row, now) for row in page.object_list],
        "over": over,
        "figure": talk_figures.of_last_quarter(memberships.day_of(now)),
    }
    return render(request, "talk_requests.html", context)


def _row(row: TalkRequest, now: dt.datetime) -> dict[str, Any]:
    stands = row.stands(now)
    return {
        "request": row,
        "stands": stands,
        "said": STANDS[stands],
        "kind": _KINDS.get(stands, ""),
    }


@require_safe
def talk_request(
    request: HttpRequest,
    pk: int,
    *,
    errors: dict[str, str] | None = None,
    preparation: PreparationForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """One request: what is asked, where it stands, and what the reader can decide about it."""
    person, now = _me(request), timezone.now()
    row = get_object_or_404(talk_requests.visible_to(person, now), pk=pk)
    speaker = Speaker.objects.filter(person=person).first()
    coordinates = talk_requests.coordinates(person)
    mine = bool(speaker and row.speaker_id == speaker.pk)
    asked = (
        Offer.objects.waiting(now).filter(request=row, speaker=speaker).first() if speaker else None
    )
    stands = row.stands(now)
    context: dict[str, Any] = {
        "request_row": row,
        "stands": stands,
        "said": STANDS[stands],
        "kind": _KINDS.get(stands, ""),
        "ended": TalkRequest.ENDED,
        "mine": mine,
        "asked": asked,
        "coordinates": coordinates,
        "settled": not coordinates and not mine and asked is None,
        "sees_asker": coordinates or mine,
        "conflicts": _own_conflicts(row, speaker, now) if speaker and (asked or mine) else [],
        "errors": errors or {},
        "typed": request.POST,
        "zones": ZONES,
        "zone": row.zone,
        "can_change": stands in {"booked", "was", "orphaned"} and (mine or coordinates),
        "can_hold": stands == "was" and (mine or coordinates),
        "can_tell": row.state == "held" and mine and row.told_at is None,
        "steps": row.steps.all() if coordinates else [],
    }
    if coordinates and stands in {"free", "thinking"}:
        context["candidates"] = _candidates(row, now)
    if (mine or coordinates) and row.state in {"booked", "held"}:
        context["preparation"] = preparation or PreparationForm(initial=_prepared(row))
        context["seen"] = row.prepared
    return render(request, "talk_request.html", context, status=status)


def _prepared(row: TalkRequest) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PreparationForm.base_fields}


def _own_conflicts(row: TalkRequest, speaker: Speaker, now: dt.datetime) -> list[str]:
    return talk_conflicts.conflicts([speaker], row, now=now).get(speaker.pk, [])


def _candidates(row: TalkRequest, now: dt.datetime) -> list[dict[str, Any]]:
    """Speakers who could be asked, with what they have at that time; those asked are marked.

    Whether a marked one said no or has not looked is not told.
    """
    today = memberships.day_of(now)
    able = Speaker.objects.listed(public=False, on=today).told().prefetch_related("talks")
    everybody = [speaker for speaker in able if not speaker.rests(today)]
    again = Q(closed_at__isnull=False, over_at__isnull=True)  # another's yes had closed it
    asked = set(Offer.objects.filter(~again, request=row).values_list("speaker", flat=True))
    busy = talk_conflicts.conflicts(everybody, row, now=now)
    return [
        {
            "speaker": speaker,
            "asked": speaker.pk in asked,
            "conflicts": busy.get(speaker.pk, []),
            "speaks": row.format in speaker.formats,
        }
        for speaker in everybody
    ]


@require_POST
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide something about a request; what cannot be done is said, and nothing is lost."""
    person, now = _me(request), timezone.now()
    row = get_object_or_404(talk_requests.visible_to(person, now), pk=pk)
    what = request.POST.get("act", "")
    errors: dict[str, str] = {}
    form: PreparationForm | None = None
    try:
        if what == "prepare":
            form = _prepare(request, row, now)
            if form.errors:
                return _again(request, pk, {}, form)
        else:
            _decide(request, row, what, now)
    except NotAsked as refused:
        errors[refused.field] = refused.sentence
    except NotTaken as refused:
        errors["story"] = refused.sentence
    except ChangedMeanwhile:
        errors["preparation"] = _(
            "Somebody saved the preparation meanwhile. What you typed is still here; compare with"
            " the page in another tab, then save again."
        )
        return _again(request, pk, errors, PreparationForm(request.POST))
    except talk_offers.Taken:
        messages.success(
            request, _("Another speaker said yes a moment before you. Thank you; you are free.")
        )
    except TooLate:
        messages.error(request, _("This was decided meanwhile. Here is what stands now."))
    if errors:
        return _again(request, pk, errors, form)
    return redirect("talk_request", pk=pk)


def _again(
    request: HttpRequest, pk: int, errors: dict[str, str], form: PreparationForm | None
) -> HttpResponse:
    request.method = "GET"
    return talk_request(request, pk, errors=errors, preparation=form, status=422)


def _prepare(request: HttpRequest, row: TalkRequest, now: dt.datetime) -> PreparationForm:
    person = _me(request)
    if not (row.speaks == person or talk_requests.coordinates(person)):
        raise PermissionDenied
    form = PreparationForm(request.POST)
    if form.is_valid():
        typed = request.POST.get("seen", "")
        seen = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else -1
        talk_offers.prepare(request=row, seen=seen, facts=form.cleaned_data, by=person, now=now)
        messages.success(request, _("Saved."))
    return form


def _decide(request: HttpRequest, row: TalkRequest, what: str, now: dt.datetime) -> None:
    """One button. Raises what the verbs raise."""
    person, post = _me(request), request.POST
    speaks, coordinates = row.speaks == person, talk_requests.coordinates(person)
    match what:
        case "agree":
            talk_offers.agree(request=row, wall=post.get("wall", ""), by=person, now=now)
            messages.success(
                request, _("Booked. The organiser knows, and has it for the calendar.")
            )
        case "refuse":
            talk_offers.refuse(request=row, by=person, now=now)
            messages.success(request, _("Noted. Nobody is told that it was you."))
        case "give_back" if speaks or coordinates:
            talk_offers.give_back(request=row, by=person, now=now)
            messages.success(request, _("The talk needs another speaker now. The organiser knows."))
        case "date" if speaks or coordinates:
            _set_date(request, row, now)
        case "held" if speaks or coordinates:
            talk_offers.hold(request=row, by=person, now=now)
            messages.success(request, _("Noted as held."))
        case "tell" if speaks:
            talk_offers.tell(request=row, text=post.get("story", ""), by=person, now=now)
            messages.success(request, _("Your idea is with the curators. The answer comes here."))
        case "offer" if coordinates:
            picked = [int(text) for text in post.getlist("speaker") if _is_key(text)]
            count = talk_offers.offer(request=row, speakers=picked, by=person, now=now)
            messages.success(
                request, _("Asked: %(count)s. The first yes books.") % {"count": count}
            )
        case "decline" if coordinates:
            talk_requests.decline(request=row, words=post.get("answer", ""), by=person, now=now)
            messages.success(request, _("The organiser has your answer."))
        case "take_over" if coordinates:
            talk_requests.take_over(request=row, by=person, now=now)
        case _:
            raise PermissionDenied


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _set_date(request: HttpRequest, row: TalkRequest, now: dt.datetime) -> None:
    zone = request.POST.get("zone", "")
    if zone not in ZONES:
        zone = row.zone
    try:
        wall = wall_of(request.POST.get("date", ""), zone, now=now)
    except ValidationError as error:
        raise NotAsked("date", " ".join(error.messages)) from error
    talk_offers.set_date(request=row, wall=wall, zone=zone, by=_me(request), now=now)
    messages.success(request, _("The date is settled. The organiser knows."))


@require_GET
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The speaker sheet on paper, for its speaker and for coordinators."""
    person, now = _me(request), timezone.now()
    rows = talk_requests.visible_to(person, now).filter(state__in=["booked", "held"])
    row = get_object_or_404(rows, pk=pk)
    if not talk_requests.coordinates(person) and row.speaks != person:
        raise PermissionDenied
    return render(request, "talk_sheet.html", sheet_of(row))


def sheet_of(row: TalkRequest) -> dict[str, Any]:
    """What stands on a speaker sheet; the speaker is left out once they have left the house."""
    speaker = Speaker.objects.told().filter(person=row.speaks).first() if row.speaks else None
    helper = row.coordinator
    if helper is None or helper.left_at:
        helper = talk_requests.coordinators().first()
    return {"request_row": row, "speaker": speaker, "helper": helper}
