"""One's own contact card: write it, see it as strangers do, publish, rest, take it back."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ambassadors import absences, consents
from ambassadors.memberships import day_of
from ambassadors.models import Absence, Consent, Person, Site
from campaigns.uploads import PictureRefused
from campaigns.wakeups import nudge
from reception import cards, tongues
from reception.models import OBJECTS, ContactCard, JobArea
from reception.tasks import tend_questions

from .public import word

_FIELDS = ("sentence_de", "sentence_en", "job", "hours", "extension")


def card(request: HttpRequest) -> HttpResponse:
    """The page of one's own card; on POST one of its acts."""
    person = cast("Person", request.user)
    mine = cards.of(person, timezone.localdate())
    if request.method != "POST":
        return _page(request, person, mine)
    act = request.POST.get("act", "")
    try:
        if act == "save":
            _save(request, person)
        elif act == "away":
            _go(request, person)
        elif mine:
            _do(request, act, mine, person)
    except cards.CardRefused as refused:
        wrong = {refused.field: refused.sentence}
        return _page(request, person, mine, typed=request.POST, wrong=wrong, status=422)
    except PictureRefused as refused:
        return _page(request, person, mine, wrong={"photo": str(refused)}, status=422)
    return redirect("my_card")


def _save(request: HttpRequest, person: Person) -> None:
    typed = request.POST
    numbers = {int(n) for n in typed.getlist("sites") if n.isdecimal() and len(n) < 9}
    written = cards.Written(
        **{name: typed.get(name, "") for name in _FIELDS},
        picture=typed.get("picture", ""),
        languages=typed.getlist("languages"),
        areas=list(JobArea.objects.filter(slug__in=[word(s) for s in typed.getlist("areas")])),
        sites=list(Site.objects.filter(pk__in=numbers)),
        shows_address=typed.get("shows_address") == "1",
    )
    cards.save(by=person, written=written, now=timezone.now())
    messages.success(request, _("Saved."))


def _do(request: HttpRequest, act: str, mine: ContactCard, person: Person) -> None:
    now = timezone.now()
    if act == "publish":
        cards.publish(by=person, now=now)
        messages.success(request, _("Your card is public. You can take it back at any time."))
    elif act == "withdraw":
        cards.withdraw(by=person, now=now)
        nudge(tend_questions)
        messages.success(request, _("Taken back. No stranger sees it any more."))
    elif act in {"rest", "resume"}:
        cards.rest(card=mine, resting=act == "rest", by=person, now=now)
    elif act == "photo" and (upload := request.FILES.get("photo")):
        cards.put_photo(card=mine, content=upload.read(), by=person, now=now)
        messages.success(request, _("Your photo is on the card."))
    elif act == "drop_photo":
        cards.drop_photo(card=mine, by=person, now=now)
        messages.success(request, _("The photo is deleted."))
    elif act == "back":
        absences.come_back(by=person, now=now)


def _go(request: HttpRequest, person: Person) -> None:
    """Away until a day; a colleague with a public card stands in. Raises CardRefused."""
    now = timezone.now()
    try:
        until_on = parse_date(request.POST.get("until_on", "")[:10])
    except ValueError:
        until_on = None
    today = day_of(now)
    if until_on is None or not today <= until_on <= today.replace(year=today.year + 1, day=1):
        raise cards.CardRefused("until_on", _("Choose a day from today on, within a year."))
    key = word(request.POST.get("deputy", ""))
    deputy = cards.public(today).exclude(person=person).filter(key=key).first()
    if deputy is None:
        raise cards.CardRefused("deputy", _("Choose who stands in."))
    absences.go(by=person, deputy=deputy.person, until_on=until_on, now=now)
    nudge(tend_questions)
    messages.success(request, _("%(who)s stands in.") % {"who": deputy.person.name})


def _page(
    request: HttpRequest,
    person: Person,
    mine: ContactCard | None,
    *,
    status: int = 200,
    **form: Any,
) -> HttpResponse:
    on = timezone.localdate()
    given = Consent.objects.given().filter(person=person)
    away = Absence.objects.filter(person=person, ended_at__isnull=True, until_on__gte=on)
    context = {
        "mine": mine,
        "card": cards.shown(mine, person.language) if mine else None,
        "public": given.filter(purpose="contact_card").exists(),
        "wording": consents.WORDINGS[Consent.Purpose.CONTACT_CARD][1],
        "objects": OBJECTS.items(),
        "spoken": [(code, _(name)) for code, name in tongues.NAMES.items()],
        "all_areas": JobArea.objects.all(),
        "all_sites": Site.objects.all(),
        "away": away.select_related("deputy").first(),
        "deputies": cards.public(on).exclude(person=person),
        "longest": cards.LONGEST_SENTENCE,
        "has": _standing(mine, person),
        "typed": {},
        "wrong": {},
    } | form
    if context["typed"]:
        context["has"] = _again(request)
    return render(request, "my_card.html", context, status=status)


def _standing(mine: ContactCard | None, person: Person) -> dict[str, Any]:
    """What the form shows: the card, or what we know already."""
    if mine is None:
        return {
            "job": person.job_title[:80],
            "picture": next(iter(OBJECTS)),
            "languages": person.languages,
            "areas": [],
            "sites": [person.site_id],
        }
    return {name: getattr(mine, name) for name in (*_FIELDS, "picture", "languages")} | {
        "areas": [area.slug for area in mine.areas.all()],
        "sites": [site.pk for site in mine.sites.all()],
        "shows_address": mine.shows_address,
    }


def _again(request: HttpRequest) -> dict[str, Any]:
    """What the form shows after a refusal: everything as it was typed."""
    typed = request.POST
    sites = [int(n) for n in typed.getlist("sites") if n.isdecimal() and len(n) < 9]
    return {name: typed.get(name, "") for name in (*_FIELDS, "picture")} | {
        "languages": typed.getlist("languages"),
        "areas": typed.getlist("areas"),
        "sites": sites,
        "shows_address": typed.get("shows_address") == "1",
    }


@require_safe
def photo(request: HttpRequest) -> HttpResponse:
    """One's own photo, for the preview, public or not."""
    content = cards.own_photo(cast("Person", request.user))
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="image/jpeg")
    response["Content-Security-Policy"] = "sandbox"
    return response
