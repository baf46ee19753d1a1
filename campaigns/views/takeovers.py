"""Takeovers: rules, drafts and hand-back for the person; release and stop for the channel's."""

import datetime as dt
import uuid
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.kept import form_key, kept_form
from ambassadors.models import Person
from campaigns import saying, uploads, wording
from campaigns import takeovers as verbs
from campaigns.endings import Ended
from campaigns.models import Delivery, Picture, Takeover
from campaigns.share_checks import ShareRefused
from campaigns.tasks import publish_due
from campaigns.views.composer import on_clock
from campaigns.views.hold import flights
from campaigns.wakeups import nudge
from integrations.networks import get

from . import pictures

_LONGEST_ALT = 1500  # characters, as in the editor


def takeovers(request: HttpRequest) -> HttpResponse:
    """Slots of one's own, and those on channels one writes for; the latest first."""
    person, now = cast("Person", request.user), timezone.now()
    page = Paginator(verbs.listed_for(person), 20).get_page(request.GET.get("page"))
    rows = [{"takeover": row, "stands": row.stands(now)} for row in page.object_list]
    return render(request, "takeovers.html", {"page": page, "rows": rows})


def takeover(request: HttpRequest, pk: int) -> HttpResponse:
    """One takeover; on POST write a post for it."""
    person, now = cast("Person", request.user), timezone.now()
    found = get_object_or_404(verbs.visible_to(person), pk=pk)
    if request.method != "POST":
        return _page(request, found, {}, now)
    errors: dict[str, str] = {}
    picture = None
    try:
        picture = pictures.of_form(request, person)
        if picture:
            _describe(request, picture, person)
        verbs.write(
            takeover=found,
            text=request.POST.get("text", ""),
            picture=picture,
            due_at=_due(request, person),
            submission=form_key(request.POST.get("submission", "")),
            by=person,
            now=now,
        )
    except uploads.PictureRefused as refused:
        errors["picture"] = str(refused)
    except ShareRefused as refused:
        errors[refused.field] = refused.sentence
    except verbs.TooLate:
        errors[""] = _("The slot is not yours now, or is over. Your text is kept below.")
    if errors:
        return _page(request, found, errors, now, picture=picture)
    nudge(publish_due)
    messages.success(request, _("Kept. It leaves in your slot, once somebody else approved it."))
    return redirect("takeover", pk=pk)


def _describe(request: HttpRequest, picture: Picture, person: Person) -> None:
    """Keep what is to be seen, for those who do not see it. Raises ShareRefused."""
    alt = wording.clean(request.POST.get("alt", ""))
    if wording.is_blank(alt):
        raise ShareRefused("alt", _("Say what is to be seen, for those who do not see it."))
    if len(alt) > _LONGEST_ALT:
        raise ShareRefused(
            "alt", _("Shorter please, at most %(most)s characters.") % {"most": _LONGEST_ALT}
        )
    uploads.describe(picture, alt, person.language)


def _due(request: HttpRequest, person: Person) -> dt.datetime | None:
    """The chosen moment by the person's clock, None for now. Raises ShareRefused."""
    if request.POST.get("when") != "pick":
        return None
    try:
        return on_clock(dt.datetime.fromisoformat(request.POST.get("at", "")), person.zone)
    except (ValueError, OverflowError) as error:
        raise ShareRefused("at", _("Write a day and a time.")) from error


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept the rules, release, hand back, or stop: each one button."""
    person, now = cast("Person", request.user), timezone.now()
    found = get_object_or_404(verbs.visible_to(person), pk=pk)
    act = request.POST.get("act", "")
    try:
        match act:
            case "accept" if request.POST.get("read") == "yes":
                verbs.accept(takeover=found, by=person, now=now)
                messages.success(request, _("Thank you. You can write already."))
            case "accept":
                messages.error(request, _("Tick the box first."))
            case "release":
                verbs.release(takeover=found, by=person, now=now)
                nudge(publish_due)
                messages.success(request, _("Released. It opens and ends by itself."))
            case "hand_back":
                ended = verbs.hand_back(takeover=found, by=person, now=now)
                _say(request, _("Handed back. Nothing of it leaves from now on."), ended)
            case "stop":
                ended = verbs.stop(takeover=found, by=person, now=now)
                _say(request, _("Stopped. Nothing of it leaves from now on."), ended)
    except verbs.TooLate:
        messages.error(request, _("That is not possible any more; here is how it stands."))
    return redirect("takeover", pk=pk)


def _say(request: HttpRequest, sentence: str, ended: Ended) -> None:
    """Tell what an ending stopped, and what it came too late for."""
    parts = [sentence]
    if ended.taken_back:
        parts.append(saying.taken_back(ended.taken_back))
    if ended.in_flight:
        parts.append(saying.on_its_way(len(ended.in_flight)))
    messages.success(request, " ".join(parts))


def _page(
    request: HttpRequest,
    found: Takeover,
    errors: dict[str, str],
    now: dt.datetime,
    *,
    picture: Picture | None = None,
) -> HttpResponse:
    person = cast("Person", request.user)
    form = request.POST if request.method == "POST" else kept_form(request)
    mine, stands = found.person_id == person.pk, found.stands(now)
    outlook = saying.Outlook.now()
    deliveries = (
        Delivery.objects.filter(post__takeover=found)
        .exclude(state="cancelled", reason="edited")
        .select_related("post__picture", "account")
    )
    posts = []
    for delivery in deliveries[:50]:
        kind, sentence = saying.plain_state(delivery.post, delivery, outlook)
        posts.append(
            {"delivery": delivery, "post": delivery.post, "kind": kind, "sentence": sentence}
        )
    context: dict[str, Any] = {
        "takeover": found,
        "stands": stands,
        "mine": mine,
        "looks_after": verbs.looks_after(person, found),
        "left": found.person.left_at is not None,
        "posts": posts,
        "ended_in": _milliseconds(found),
        "flights": flights(found.flying) if found.ended_at else [],
        "abilities": get(found.channel.network).abilities,
        "errors": errors,
        "text": (form.get("text", "") if form else "").replace("\x00", ""),
        "alt": (form.get("alt", "") if form else "").replace("\x00", ""),
        "picture": picture,
        "kept": pictures.carried(picture, person),
        "picks": bool(form) and form.get("when") == "pick" if form else stands != "open",
        "at": (form.get("at") if form else "") or _first_moment(found, person, now),
        "submission": (form.get("submission") if form else "") or uuid.uuid4(),
    }
    return render(request, "takeover.html", context, status=422 if errors else 200)


def _first_moment(found: Takeover, person: Person, now: dt.datetime) -> str:
    return person.local(max(found.begins_at, now)).strftime("%Y-%m-%dT%H:%M")


def _milliseconds(found: Takeover) -> int | None:
    if found.in_force_at is None or found.ended_at is None:
        return None
    return round((found.in_force_at - found.ended_at).total_seconds() * 1000)
