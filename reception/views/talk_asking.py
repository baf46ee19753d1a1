"""Ask for a speaker, from outside and inside; and the asker's own page, which opens for a code."""

import datetime as dt
import re
import uuid
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ambassadors import memberships
from ambassadors.kept import form_key, kept_form
from ambassadors.models import Person
from campaigns.senders import sender
from reception import crowds, stamps, talk_calendars, talk_mails, talk_requests
from reception.models import Speaker, Talk, TalkRequest
from reception.talk_forms import RequestForm, StrangerForm
from reception.talk_requests import NotAsked, TooLate

from . import codes
from .public import public_page
from .speakers import shell
from .talks import sheet_of

_CODE = re.compile(r"[\w-]{43}", re.ASCII)
_STANDS_OUTSIDE = {"thinking": "free", "past": "free", "orphaned": "changing", "was": "booked"}


def _wanted(
    request: HttpRequest, now: dt.datetime, *, public: bool
) -> tuple[Speaker | None, Talk | None]:
    """The talk or speaker that the address or the form names, as far as they can still be seen."""
    on = memberships.day_of(now)
    named = request.POST if request.method == "POST" else request.GET
    talk = Talk.objects.listed(public=public, on=on).filter(pk=_key(named.get("talk", ""))).first()
    speaker = talk.speaker_id if talk else _key(named.get("speaker", ""))
    able = Speaker.objects.listed(public=public, on=on).told().filter(pk=speaker)
    return able.first(), talk


def _key(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def public_ask(request: HttpRequest) -> HttpResponse:
    """The form for strangers: no cookie, a timed stamp, a measure against crowds."""
    now = timezone.now()
    wanted, talk = _wanted(request, now, public=True)
    if request.method != "POST":
        form = StrangerForm(initial=_start(talk), now=now)
        return _page(request, form, wanted, talk, public=True, now=now)
    form = StrangerForm(request.POST, now=now)
    stamp = stamps.read(request.POST.get("stamp", ""), now=now)
    if not form.is_valid():
        return _page(request, form, wanted, talk, public=True, now=now, keep=stamp)
    if stamp is None or stamp.age < stamps.YOUNGEST or request.POST.get("website"):
        form.add_error(None, _("Please look once more and send it again. Nothing is lost."))
        return _page(request, form, wanted, talk, public=True, now=now)
    standing = TalkRequest.objects.filter(submission=stamp.submission).first()
    if standing:
        return _stands(request, standing, now)
    crowd = crowds.measure(sender(request), now=now)
    if crowd.full:
        form.add_error(
            None,
            _("Too many requests come from your network. Please try again in some minutes."),
        )
        return _page(request, form, wanted, talk, public=True, now=now, keep=stamp, status=429)
    address = form.cleaned_data["asker_email"]
    try:
        made = talk_requests.ask(
            facts=form.facts(),
            asker=(form.cleaned_data["asker_name"], address),
            # In a crowd a coordinator looks first; speakers hear of what is real.
            wanted=None if crowd.why else _still(request, wanted),
            talk=talk,
            language="en" if get_language() == "en" else "de",
            submission=stamp.submission,
            by=None,
            writes=crowds.may_write_to(address, now=now),
            now=now,
        )
    except NotAsked as refused:
        form.add_error(None, refused.sentence)
        return _page(request, form, None, None, public=True, now=now, keep=stamp)
    return _stands(request, made, now)  # its code is in no address to lead to


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The form for colleagues: who asks is known."""
    person, now = cast("Person", request.user), timezone.now()
    wanted, talk = _wanted(request, now, public=False)
    if request.method != "POST":
        form = RequestForm(kept_form(request), initial=_start(talk), now=now)
        return _page(request, form, wanted, talk, public=False, now=now)
    form = RequestForm(request.POST, now=now)
    if form.is_valid():
        try:
            made = talk_requests.ask(
                facts=form.facts(),
                asker=(person.name, person.email),
                wanted=_still(request, wanted),
                talk=talk,
                language=person.language,
                submission=form_key(request.POST.get("submission", "")),
                by=person,
                writes=True,
                now=now,
            )
        except NotAsked as refused:
            form.add_error(None, refused.sentence)
            wanted = talk = None
        else:
            return _stands(request, made, now)
    return _page(request, form, wanted, talk, public=False, now=now)


def _still(request: HttpRequest, wanted: Speaker | None) -> Speaker | None:
    """The speaker the form was about. Raises NotAsked when the profile is gone meanwhile."""
    if wanted is None and (request.POST.get("talk") or request.POST.get("speaker")):
        raise NotAsked("", talk_requests.gone())
    return wanted


def _start(talk: Talk | None) -> dict[str, Any]:
    return {"topic": talk.title, "minutes": talk.minutes} if talk else {}


def _page(
    request: HttpRequest,
    form: RequestForm,
    wanted: Speaker | None,
    talk: Talk | None,
    *,
    public: bool,
    now: dt.datetime,
    keep: stamps.Stamp | None = None,
    status: int = 0,
) -> HttpResponse:
    """The form, filled as it was; a stamp that holds stays, so that two sends are one request."""
    context = {
        **shell(public=public),
        "form": form,
        "wanted": wanted,
        "talk": talk,
        "stamp": request.POST.get("stamp") if keep else stamps.make(now=now),
        "submission": request.POST.get("submission") or uuid.uuid4(),
    }
    bad = form.is_bound and form.errors
    return render(request, "talk_ask.html", context, status=status or (422 if bad else 200))


def _typed(text: str, now: dt.datetime) -> TalkRequest | None:
    """The request of a code, as somebody typed it or within a link they pasted."""
    found = _CODE.findall("".join(text.split()))
    return TalkRequest.objects.told(now).filter(token=found[-1]).first() if found else None


def _decide(request: HttpRequest, row: TalkRequest, now: dt.datetime) -> None:
    """One button of the asker's page. Raises NotAsked, TooLate."""
    if request.POST.get("act") == "rate":
        stars, words = _key(request.POST.get("rating", "")), request.POST.get("feedback", "")
        talk_requests.rate(request=row, stars=stars, words=words, now=now)
    elif not request.POST.get("sure"):
        raise NotAsked("sure", _("Tick the box first."))
    else:
        talk_requests.cancel(request=row, now=now)


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def asked(request: HttpRequest, old: str = "") -> HttpResponse:
    """Where it stands; call it off; say afterwards how it was. Whoever has the code may."""
    now = timezone.now()
    try:
        row = codes.opened(request, lambda text: _typed(text, now), door="talk", old=old)
    except codes.Shut as shut:
        action = reverse("talk_asked")
        return codes.page(request, shut, title=_("Your talk request"), action=action)
    act = request.POST.get("act", "")
    if act in _FILES:
        return codes.private(_FILES[act](request, row))
    errors: dict[str, str] = {}
    if act:
        try:
            _decide(request, row, now)
        except NotAsked as refused:
            errors[refused.field] = refused.sentence
        except TooLate:
            errors["late"] = _("This was decided meanwhile. Here is what stands now.")
    return _stands(request, row, now, **errors)


def _stands(request: HttpRequest, of: TalkRequest, now: dt.datetime, **errors: str) -> HttpResponse:
    """The asker's own page, as it is now."""
    row = get_object_or_404(TalkRequest.objects.told(now), pk=of.pk)
    stands = row.stands(now)
    context = {
        "row": row,
        "way_back": talk_mails.page_of_asker(row),
        "stands": _STANDS_OUTSIDE.get(stands, stands),
        "speaks": row.speaks,
        "open": row.state in TalkRequest.OPEN,
        "errors": errors,
        "typed": request.POST,
        "stars": range(1, talk_requests.MOST_STARS + 1),
        "can_rate": row.state == "held" and row.rated_at is None,
    }
    page = render(request, "talk_asked.html", context, status=422 if errors else 200)
    return codes.private(page)


def _calendar(request: HttpRequest, row: TalkRequest) -> HttpResponse:
    """The booked talk as a file for calendar programmes."""
    del request
    if not row.wall:
        raise Http404
    content = talk_calendars.for_organiser(row)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="talk.ics"'
    return response


def _sheet(request: HttpRequest, row: TalkRequest) -> HttpResponse:
    """The speaker sheet for the organiser, while its speaker is booked and here."""
    if row.state not in {"booked", "held"} or row.speaks is None:
        raise Http404
    return render(request, "talk_sheet.html", {**sheet_of(row), "code": row.token})


_FILES = {"calendar": _calendar, "sheet": _sheet}
