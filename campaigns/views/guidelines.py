"""The company's rules as everybody reads them: what holds, what changed since one's own yes."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import acknowledgements
from ambassadors.models import Acknowledgement, Guideline, GuidelineVersion, Person, QuizPass
from campaigns import confirming, differing
from campaigns.tasks import publish_due
from campaigns.wakeups import nudge
from integrations import markup


def _language() -> str:
    return "en" if get_language() == "en" else "de"


def guidelines(request: HttpRequest) -> HttpResponse:
    """All guidelines that hold, with the person's own yes to each."""
    person, now = cast("Person", request.user), timezone.now()
    mine = acknowledgements.of(person)
    waiting = acknowledgements.asked(person, now)
    versions = GuidelineVersion.objects.in_force(now).select_related("guideline")
    rows = [
        {
            "version": version,
            "mine": mine.get(version.guideline_id),
            "held_from": waiting.get(version.guideline_id),
        }
        for version in versions
    ]
    return render(request, "guidelines.html", {"rows": rows, "now": now})


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What is out of one guideline: its versions, newest first, and which of them holds."""

    versions: list[GuidelineVersion]
    in_force: GuidelineVersion | None

    @classmethod
    def of(cls, slug: str, now: dt.datetime) -> "_Shelf":
        """Read it; 404 for one that is unknown, not out yet, or put away."""
        guideline = get_object_or_404(Guideline, slug=slug, retired_at__isnull=True)
        rows = GuidelineVersion.objects.published().filter(guideline=guideline)
        versions = list(rows.select_related("guideline"))
        if not versions:
            raise Http404
        return cls(versions, next((v for v in versions if _begun(v, now)), None))

    def numbered(self, number: int) -> GuidelineVersion:
        """One version; 404 for another number."""
        for version in self.versions:
            if version.number == number:
                return version
        raise Http404

    def may_confirm(self, version: GuidelineVersion) -> bool:
        """What holds, or will: older ones are history."""
        return self.in_force is None or (version.number or 0) >= (self.in_force.number or 0)


def _begun(version: GuidelineVersion, now: dt.datetime) -> bool:
    return version.effective_at is not None and version.effective_at <= now


def guideline(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponse:
    """One version: the one in force, else the one that comes; what changed, and the yes to it."""
    person, now = cast("Person", request.user), timezone.now()
    shelf = _Shelf.of(slug, now)
    first = shelf.in_force or shelf.versions[-1]
    version = first if number is None else shelf.numbered(number)
    language = version.language_for(_language())
    mine = acknowledgements.of(person).get(version.guideline_id)
    since = _since(request.GET.get("since", ""), shelf, mine, version)
    ahead = [v for v in shelf.versions if (v.number or 0) > (version.number or 0)]
    context = {
        "version": version,
        "language": language,
        "title": version.title_in(language),
        "text": markup.html(version.text_in(language)),
        "change": version.change_in(language),
        "mine": mine,
        "standing": bool(mine and (mine.version.number or 0) >= (version.number or 0)),
        "may_confirm": shelf.may_confirm(version),
        "held_from": acknowledgements.asked(person, now).get(version.guideline_id),
        "in_force": shelf.in_force,
        "ahead": [v for v in ahead if not _begun(v, now)],
        "versions": [(v, v.change_in(_language())) for v in shelf.versions],
        "quiz": bool(version.quiz),
        "passed": QuizPass.objects.filter(person=person, version=version).first(),
        "now": now,
        **_difference(since, version, language),
    }
    return render(request, "guideline.html", context)


def _since(
    wanted: str, shelf: _Shelf, mine: Acknowledgement | None, version: GuidelineVersion
) -> GuidelineVersion | None:
    """The earlier version to compare with: the chosen one, else the one the person said yes to."""
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 6 else 0
    if not number and mine:
        number = mine.version.number or 0
    earlier = (v for v in shelf.versions if v.number == number)
    return next((v for v in earlier if number < (version.number or 0)), None)


def _difference(
    since: GuidelineVersion | None, version: GuidelineVersion, language: str
) -> dict[str, Any]:
    """The lines that changed; ``comparable`` is False where the earlier one had other languages."""
    if since is None:
        return {"since": None}
    old = since.text_in(language)
    if not old:
        return {"since": since, "comparable": False}
    runs = differing.words(markup.plain(old), markup.plain(version.text_in(language)))
    return {"since": since, "comparable": True, "passages": differing.passages(runs)}


@require_POST
def confirm(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Keep the person's yes to the version they read; what waited for it goes on."""
    person, now = cast("Person", request.user), timezone.now()
    shelf = _Shelf.of(slug, now)
    version = shelf.numbered(number)
    if not shelf.may_confirm(version):
        messages.warning(request, _("A newer version holds by now. This is it."))
        return redirect("guideline", slug=slug)
    language = "en" if request.POST.get("language") == "en" else "de"
    try:
        freed = confirming.confirm(person=person, version=version, language=language, now=now)
    except acknowledgements.NotReadable as error:
        raise Http404 from error
    messages.success(request, _("Noted. Your yes stands here, with its day."))
    if freed:
        sentence = ngettext(
            "%(n)s post that waited goes on.", "%(n)s posts that waited go on.", freed
        )
        messages.success(request, sentence % {"n": freed})
        nudge(publish_due)
    return redirect("guideline_version", slug=slug, number=number)


# Quiz -----------------------------------------------------------------------------------------


def quiz(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Questions on a version. Answers are judged and forgotten; that all were right is kept."""
    person, now = cast("Person", request.user), timezone.now()
    version = _Shelf.of(slug, now).numbered(number)
    if not version.quiz:
        raise Http404
    language = version.language_for(_language())
    typed = request.POST if request.method == "POST" else None
    rows = [
        _asked(row, language, None if typed is None else typed.get(f"q{place}", ""))
        for place, row in enumerate(version.quiz)
    ]
    missing = typed is not None and not all(row["answered"] for row in rows)
    done = typed is not None and not missing
    right = done and all(row["right"] for row in rows)
    if right:
        acknowledgements.passed(person=person, version=version, now=now)
    context = {
        "version": version,
        "language": language,
        "title": version.title_in(language),
        "rows": rows,
        "done": done,
        "right": right,
        "missing": missing,
        "passed": QuizPass.objects.filter(person=person, version=version).first(),
    }
    return render(request, "guideline_quiz.html", context, status=422 if missing else 200)


def _asked(row: dict[str, Any], language: str, chosen: str | None) -> dict[str, Any]:
    """A question in a language, with what was chosen and whether it is right."""

    def said(texts: dict[str, Any], name: str) -> str:
        other = "de" if language == "en" else "en"
        return str(texts.get(f"{name}_{language}") or texts.get(f"{name}_{other}") or "")

    choices = [
        {
            "place": str(place),
            "text": said(choice, "text"),
            "right": place == row["right"],
            "chosen": chosen == str(place),
        }
        for place, choice in enumerate(row["choices"])
    ]
    answer = next((choice for choice in choices if choice["chosen"]), None)
    return {
        "question": said(row, "question"),
        "why": said(row, "why"),
        "choices": choices,
        "answered": answer is not None,
        "right": bool(answer and answer["right"]),
    }
