"""The directory of speakers: for everybody, and for colleagues. Talks first."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, Func, IntegerField, Prefetch, Value, When
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from ambassadors import memberships
from ambassadors.models import Person
from reception import talk_requests, tongues
from reception.models import Format, Speaker, SpeakerPhoto, Talk

from .public import public_page

_PAGE = 20


def shell(*, public: bool) -> dict[str, Any]:
    """The frame of a page that strangers and colleagues share, and where its links lead."""
    room = "speakers" if public else "experts"
    return {
        "shell": "base_public.html" if public else "base.html",
        "public_page": public,
        "to_list": room,
        "to_talk": f"{room}_talk",
        "to_ask": f"{room}_ask",
    }


@public_page
@require_safe
def speakers(request: HttpRequest) -> HttpResponse:
    """Who may be asked, for strangers."""
    return render(request, "speakers.html", _directory(request.GET, public=True))


@require_safe
def experts(request: HttpRequest) -> HttpResponse:
    """The same for colleagues, with those who speak inside only."""
    person = request.user
    assert isinstance(person, Person)  # noqa: S101 - the policy says so
    context = _directory(request.GET, public=False)
    context["coordinates"] = talk_requests.coordinates(person)
    return render(request, "speakers.html", context)


def _directory(asked: QueryDict, *, public: bool) -> dict[str, Any]:
    """A page of speakers with their talks; five queries, however many are listed."""
    today = memberships.day_of(timezone.now())
    everybody = Speaker.objects.listed(public=public, on=today)
    talks, rows = Talk.objects.listed(public=public, on=today), everybody
    words = asked.get("q", "").replace("\x00", "").strip()[:100]
    chosen = {
        "format": asked.get("format", "") if asked.get("format") in Format.values else "",
        "language": asked.get("language", "") if asked.get("language") in tongues.NAMES else "",
    }
    if chosen["format"]:
        rows = rows.filter(formats__contains=[chosen["format"]])
    if chosen["language"]:
        rows = rows.filter(languages__contains=[chosen["language"]])
    if words:
        hits = list(talks.saying(words).values_list("pk", "speaker")[:500])
        rows = rows.filter(pk__in={speaker for _talk, speaker in hits})
        first = When(pk__in=[talk for talk, _speaker in hits], then=Value(0))
        talks = talks.annotate(
            rank=Case(first, default=Value(1), output_field=IntegerField())
        ).order_by("rank", "pk")
    shown = rows.told().prefetch_related(Prefetch("talks", talks, to_attr="shown_talks"))
    page = Paginator(shown, _PAGE).get_page(asked.get("page"))
    spoken = Func("languages", function="jsonb_array_elements_text")
    codes = set(everybody.order_by().values_list(spoken, flat=True).distinct())
    return {
        **shell(public=public),
        "page": page,
        "rows": [
            {"speaker": row, "rests": row.rests(today), "until": row.resting(today)}
            for row in page.object_list
        ],
        "q": words,
        "chosen": chosen,
        "formats": Format.choices,
        "languages": [(c, *tongues.named([c])) for c in tongues.NAMES if c in codes],
    }


@public_page
@require_safe
def public_talk(request: HttpRequest, pk: int) -> HttpResponse:
    """One talk, for strangers."""
    return _talk(request, pk, public=True)


@require_safe
def talk(request: HttpRequest, pk: int) -> HttpResponse:
    """One talk, for colleagues."""
    return _talk(request, pk, public=False)


def _talk(request: HttpRequest, pk: int, *, public: bool) -> HttpResponse:
    today = memberships.day_of(timezone.now())
    talks = Talk.objects.listed(public=public, on=today)
    found = talks.filter(pk=pk).first()
    if found is None:
        return render(request, "speaker_gone.html", shell(public=public), status=404)
    speaker = get_object_or_404(Speaker.objects.told(), pk=found.speaker_id)
    context = {
        **shell(public=public),
        "talk": found,
        "speaker": speaker,
        "others": talks.filter(speaker=speaker).exclude(pk=pk),
        "rests": speaker.rests(today),
        "until": speaker.resting(today),
    }
    return render(request, "speaker_talk.html", context)


@public_page
@require_safe
def photo(request: HttpRequest, pk: int) -> HttpResponse:
    """The photo of a profile: while its person says yes and the page may be seen by the asker."""
    user, today = request.user, memberships.day_of(timezone.now())
    if isinstance(user, Person) and user.left_at is None:
        own = Speaker.objects.filter(pk=pk, person=user)
        able = own | Speaker.objects.listed(public=False, on=today).with_photo().filter(pk=pk)
    else:
        able = Speaker.objects.listed(public=True, on=today).with_photo().filter(pk=pk)
    if not able.exists():
        raise Http404
    found = get_object_or_404(SpeakerPhoto, speaker=pk)
    response = HttpResponse(bytes(found.content), content_type="image/jpeg")
    response["Content-Security-Policy"] = "sandbox"
    return response
