"""What a speaker sees of themselves: the questions that wait, the talks booked, the profile."""

import datetime as dt
import uuid
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings as conf
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from ambassadors import memberships, secret_feeds
from ambassadors.kept import form_key, kept_form
from ambassadors.models import Person
from campaigns import subscriptions
from campaigns.uploads import PictureRefused
from integrations import ical
from reception import speakers, talk_calendars, talk_requests
from reception.models import Offer, Speaker, Talk, TalkRequest, Visibility
from reception.talk_forms import ProfileForm, TalkForm

FEED = "talks"
_SHOWN = 50


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


@require_GET
def speaking(request: HttpRequest) -> HttpResponse:
    """The person's own page; one who is no expert reads how to become one."""
    person, now = _me(request), timezone.now()
    speaker = Speaker.objects.told().filter(person=person).first()
    today = person.local(now).date()
    offers, bookings = [], []
    if speaker:
        waiting = Offer.objects.waiting(now).filter(speaker=speaker)
        offers = list(waiting.select_related("request__talk").order_by("until_at"))
        rows = TalkRequest.objects.told(now).filter(speaker=speaker)
        bookings = [{"request": row, "stands": row.stands(now)} for row in rows[:_SHOWN]]
    context = {
        "expert": speakers.is_expert(person, memberships.day_of(now)),
        "says_yes": speakers.says_yes(person),
        "speaker": speaker,
        "listed": Speaker.objects.listed(public=False, on=today).filter(person=person).exists(),
        "rests": bool(speaker and speaker.rests(today)),
        "until": speaker.resting(today) if speaker else None,
        "has_photo": bool(speaker) and hasattr(speaker, "photo"),
        "talks": list(speaker.talks.all()) if speaker else [],
        "offers": offers,
        "bookings": bookings,
        "feed": subscriptions.of(secret_feeds.signed(person=person, name=FEED), page="talk_feed"),
        "coordinates": talk_requests.coordinates(person),
    }
    return render(request, "speaking.html", context)


def _show(request: HttpRequest, now: dt.datetime) -> str:
    speakers.show(by=_me(request), visibility=request.POST["act"], now=now)
    return _("Shown from this moment. You can take it back here with one tap.")


def _withdraw(request: HttpRequest, now: dt.datetime) -> str:
    speakers.withdraw(by=_me(request), now=now)
    return _("Withdrawn. Your profile and your talks are gone from every page.")


def _pause(request: HttpRequest, now: dt.datetime) -> str:
    speakers.pause(by=_me(request), until=_day(request.POST.get("until", "")), now=now)
    return _("Paused. Your profile says so, without a reason.")


def _back(request: HttpRequest, now: dt.datetime) -> str:
    speakers.pause(by=_me(request), until=None, now=now)
    return _("You can be asked again.")


def _photo(request: HttpRequest, now: dt.datetime) -> str:
    upload = request.FILES.get("photo")
    if upload is None:
        raise speakers.NotKept("photo", _("Choose a file first."))
    speakers.keep_photo(by=_me(request), content=upload.read(), now=now)
    return _("Your photo is shown, while your yes to it holds.")


def _no_photo(request: HttpRequest, now: dt.datetime) -> str:
    speakers.drop_photo(by=_me(request), now=now)
    return _("Your photo is deleted. The object stands there again.")


def _feed(request: HttpRequest, now: dt.datetime) -> str:
    secret_feeds.make(by=_me(request), name=FEED, now=now)
    return _("Here are address, name and password for your program.")


def _no_feed(request: HttpRequest, now: dt.datetime) -> str:
    secret_feeds.revoke(by=_me(request), name=FEED, now=now)
    return _("Revoked. The password opens nothing any more.")


_ACTS = {
    "public": _show,
    "internal": _show,
    "withdraw": _withdraw,
    "pause": _pause,
    "back": _back,
    "photo": _photo,
    "no_photo": _no_photo,
    "feed": _feed,
    "no_feed": _no_feed,
}


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """One button of the page; what cannot be done is said on it."""
    done = _ACTS.get(request.POST.get("act", ""))
    try:
        if done:
            messages.success(request, done(request, timezone.now()))
    except speakers.NotKept as refused:
        messages.error(request, refused.sentence)
    except PictureRefused as refused:
        messages.error(request, str(refused))
    return redirect("speaking")


def _day(text: str) -> dt.date:
    """A day as forms send it. Raises NotKept."""
    try:
        return dt.date.fromisoformat(text.strip()[:10])
    except ValueError as error:
        raise speakers.NotKept("until", _("Choose the last day of your pause.")) from error


def profile(request: HttpRequest) -> HttpResponse:
    """Write the profile. Saving does not show it; showing is a button of its own."""
    person, now = _me(request), timezone.now()
    mine = Speaker.objects.filter(person=person).first()
    seen = mine.revision if mine else 0
    fields = list(ProfileForm.base_fields)
    start = {name: getattr(mine, name) for name in fields} if mine else {}
    start = start or {"languages": person.languages, "remote": True, "thing": "t-mast"}
    form, trouble = ProfileForm(kept_form(request), initial=start), ""
    if request.method == "POST":
        form = ProfileForm(request.POST, initial=start)
        if form.is_valid():
            try:
                speakers.keep(
                    by=person,
                    seen=_number(request.POST.get("seen", "")),
                    facts=form.cleaned_data,
                    now=now,
                )
            except speakers.ChangedMeanwhile:
                trouble = _changed()
            else:
                messages.success(request, _("Saved."))
                return redirect("speaking")
    context = {"form": form, "seen": seen, "trouble": trouble}
    bad = bool(trouble or (form.is_bound and form.errors))
    return render(request, "speaking_profile.html", context, status=422 if bad else 200)


def talk(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Write a talk, change it, or delete it."""
    person, now = _me(request), timezone.now()
    mine = get_object_or_404(Talk, pk=pk, speaker__person=person) if pk is not None else None
    if mine and request.POST.get("act") == "delete":
        speakers.delete_talk(talk=mine, by=person, now=now)
        messages.success(request, _("Deleted."))
        return redirect("speaking")
    start = mine.facts() if mine else {"language": person.language, "visibility": Visibility.PUBLIC}
    form, trouble = TalkForm(kept_form(request), initial=start), ""
    if request.method == "POST":
        form = TalkForm(request.POST, initial=start)
        if form.is_valid():
            try:
                _keep_talk(request, mine, form.cleaned_data, now)
            except speakers.ChangedMeanwhile:
                trouble = _changed()
            except speakers.NotKept as refused:
                form.add_error(refused.field, refused.sentence)
            else:
                messages.success(request, _("Saved."))
                return redirect("speaking")
    context = {
        "form": form,
        "talk": mine,
        "seen": mine.revision if mine else 0,
        "submission": request.POST.get("submission") or uuid.uuid4(),
        "trouble": trouble,
    }
    bad = bool(trouble or (form.is_bound and form.errors))
    return render(request, "speaking_talk.html", context, status=422 if bad else 200)


def _keep_talk(
    request: HttpRequest, mine: Talk | None, facts: dict[str, Any], now: dt.datetime
) -> None:
    person = _me(request)
    if mine is None:
        submission = form_key(request.POST.get("submission", ""))
        speakers.write_talk(by=person, facts=facts, submission=submission, now=now)
    else:
        seen = _number(request.POST.get("seen", ""))
        speakers.change_talk(talk=mine, seen=seen, facts=facts, by=person, now=now)


def _changed() -> str:
    return _(
        "This was saved in another tab meanwhile. What you typed is still here; save again to"
        " keep it instead."
    )


def _number(text: str) -> int:
    """The revision a form showed; one that never was for nonsense."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


@require_safe
def feed(request: HttpRequest, signed: str = "") -> HttpResponse:
    """A speaker's talks as a calendar."""
    return subscriptions.answer(
        request, lambda text: secret_feeds.reader(text, name=FEED), _calendar, inside=signed
    )


def _calendar(reader: Person) -> HttpResponse:
    events = talk_calendars.of_person(reader, now=timezone.now())
    host = urlsplit(conf.SITE_URL).hostname or "botschaft"
    return ical.served(ical.calendar(events, name=_("My talks"), host=host), name="talks")
