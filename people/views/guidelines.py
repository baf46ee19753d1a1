"""Guidelines at the desk: drafts of several editors, versions, and figures of groups."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import guidelines
from ambassadors.guidelines import NotReady, StaleDraft
from ambassadors.kept import form_key, kept_form
from ambassadors.models import Guideline, GuidelineVersion, Person
from campaigns import confirming, differing, wallclock
from campaigns.models import Programme
from integrations import markup
from people.guideline_figures import figures
from people.guideline_forms import (
    CHOICES,
    GuidelineForm,
    Row,
    opened,
    read_quiz,
    shown_quiz,
    typed_quiz,
)

_LANGUAGES = (("de", "Deutsch"), ("en", "English"))


def _midnight(now: dt.datetime) -> dt.datetime:
    """When the company's day began: figures stand still until the next."""
    programme = Programme.the()
    return dt.datetime.combine(programme.today(now), dt.time(), programme.zone)


def guideline_list(request: HttpRequest) -> HttpResponse:
    """All guidelines: what holds, what is drafted, and how many said yes."""
    now = timezone.now()
    counted = figures(until=_midnight(now), now=now)
    rows = []
    for guideline in Guideline.objects.prefetch_related("versions"):
        versions = list(guideline.versions.all())
        draft = next((v for v in versions if v.published_at is None), None)
        out = [v for v in versions if v.published_at]
        holds = next((v for v in out if v.effective_at and v.effective_at <= now), None)
        rows.append(
            {
                "guideline": guideline,
                "shown": holds or (out[0] if out else draft),
                "holds": holds,
                "ahead": [v for v in out if v.effective_at and v.effective_at > now],
                "draft": draft,
                "figures": counted.get(guideline.pk),
            }
        )
    return render(request, "guideline_list.html", {"rows": rows, "now": now})


def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show a guideline's draft; on POST look at it or save. Of two who save, neither loses."""
    person, now = cast("Person", request.user), timezone.now()
    guideline = get_object_or_404(Guideline, pk=pk) if pk is not None else None
    versions = GuidelineVersion.objects.filter(guideline=guideline) if guideline else None
    draft = versions.filter(published_at__isnull=True).first() if versions is not None else None
    latest = versions.filter(published_at__isnull=False).first() if versions is not None else None
    base = draft or latest or GuidelineVersion()
    data = request.POST if request.method == "POST" else kept_form(request)
    if data is None:
        return _page(request, base, opened(_fresh(base)), shown_quiz(base), draft=draft)
    form, rows = GuidelineForm(data), typed_quiz(data)
    quiz, wrong = read_quiz(rows)
    if not form.is_valid() or wrong:
        return _page(request, base, form, rows, draft=draft, wrong=wrong, status=422)
    if request.method != "POST" or data.get("act") == "look":
        return _page(request, base, form, rows, draft=draft)
    words = {**form.cleaned_data, "quiz": quiz}
    if guideline is None:
        key = form_key(data.get("opened", ""))
        made = guidelines.begin(words=words, key=key, by=person, now=now)
        messages.success(request, _("Saved as a draft. Only editors see it."))
        return redirect("guideline_edit", pk=made.guideline_id)
    seen = _seen(data)
    if draft is None and seen == 0:
        draft = guidelines.next_draft(guideline=guideline, by=person, now=now)
        seen = draft.revision
    if draft is None or not _saved(draft, words, seen, person, now):
        saved = GuidelineVersion.objects.filter(guideline=guideline, published_at__isnull=True)
        theirs = saved.select_related("changed_by").first()
        return _page(request, base, form, rows, draft=theirs, theirs=theirs or latest, status=409)
    messages.success(request, _("Saved as a draft. Only editors see it."))
    return redirect("guideline_edit", pk=guideline.pk)


def _saved(
    draft: GuidelineVersion, words: dict[str, Any], seen: int, by: Person, now: dt.datetime
) -> bool:
    """Save a draft; False when somebody was faster."""
    try:
        guidelines.save(draft=draft, words=words, seen_revision=seen, by=by, now=now)
    except StaleDraft:
        return False
    return True


def _fresh(base: GuidelineVersion) -> GuidelineVersion:
    """A new draft explains its own change and has its own day."""
    if base.published_at:
        base.change_de = base.change_en = ""
        base.effective_on = None
    return base


def _seen(form: QueryDict) -> int:
    typed = form.get("revision", "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else -1


def _page(
    request: HttpRequest,
    base: GuidelineVersion,
    form: GuidelineForm,
    rows: list[Row],
    *,
    draft: GuidelineVersion | None,
    wrong: dict[int, str] | None = None,
    theirs: GuidelineVersion | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the editor around what was typed."""
    typed = {name: str(form[name].value() or "") for name in ("text_de", "text_en")}
    typed |= {name: str(form[name].value() or "") for name in ("title_de", "title_en")}
    questions = [
        {
            "row": row,
            "place": place,
            "choices": [
                {
                    "place": n,
                    "row": dict(enumerate(row.get("choices", []))).get(n, {}),
                    "right": str(row.get("right", "")) == str(n),
                }
                for n in range(CHOICES)
            ],
            "error": (wrong or {}).get(place, ""),
        }
        for place, row in enumerate(rows)
    ]
    context = {
        "guideline": base.guideline if base.guideline_id else None,
        "base": base,
        "draft": draft,
        "revision": draft.revision if draft else 0,
        "opened": form_key(request.POST.get("opened", "")),
        "form": form,
        "languages": [
            {
                "code": code,
                "label": label,
                "title": form[f"title_{code}"],
                "text": form[f"text_{code}"],
                "change": form[f"change_{code}"],
                "preview": markup.html(typed[f"text_{code}"]) if status == 200 else "",
            }
            for code, label in _LANGUAGES
        ],
        "questions": questions,
        "broken": bool(wrong),
        "theirs": theirs,
        "clashes": _clashes(theirs, typed) if theirs else [],
    }
    return render(request, "guideline_edit.html", context, status=status)


def _clashes(theirs: GuidelineVersion, typed: dict[str, str]) -> list[dict[str, Any]]:
    """What the other editor saved, and how what was typed differs from it, by language."""
    return [
        {
            "label": label,
            "code": code,
            "text": theirs.text_in(code),
            "passages": differing.passages(
                differing.words(theirs.text_in(code), typed[f"text_{code}"])
            ),
        }
        for code, label in _LANGUAGES
        if theirs.text_in(code) or typed[f"text_{code}"]
    ]


def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what publishing means in days and people; on POST do it, for good."""
    person, now = cast("Person", request.user), timezone.now()
    guideline = get_object_or_404(Guideline, pk=pk)
    draft = GuidelineVersion.objects.filter(guideline=pk, published_at__isnull=True).first()
    if draft is None:
        messages.info(request, _("There is no draft to publish."))
        return redirect("guideline_list")
    versions = GuidelineVersion.objects.filter(guideline=pk, published_at__isnull=False)
    latest = versions.first()
    error, note, effective_at = "", "", now
    try:
        effective_at, note = _begins(draft, now)
        guidelines.check(draft, first=latest is None)
        if request.method == "POST":
            guidelines.publish(
                draft=draft,
                seen_revision=_seen(request.POST),
                effective_at=effective_at,
                by=person,
                now=now,
            )
            messages.success(request, _("Published. It stays as it is from now on."))
            return redirect("guideline_list")
    except NotReady as missing:
        error = str(missing)
    except StaleDraft:
        messages.warning(
            request, _("Somebody saved since you opened this page. Look at it again, then publish.")
        )
        return redirect("guideline_publish", pk=guideline.pk)
    context = {
        "draft": draft,
        "number": (latest.number or 0) + 1 if latest else 1,
        "effective_at": effective_at,
        "binds_at": effective_at + dt.timedelta(days=draft.grace_days),
        "at_once": draft.effective_on is None or effective_at <= now,
        "note": note,
        "error": error,
        "languages": [
            {
                "label": label,
                "code": code,
                "title": draft.title_in(code),
                "preview": markup.html(draft.text_in(code)),
                "passages": _changed(latest, draft, code),
            }
            for code, label in _LANGUAGES
            if draft.text_in(code)
        ],
        "latest": latest,
    }
    return render(request, "guideline_publish.html", context, status=422 if error else 200)


def _changed(
    latest: GuidelineVersion | None, draft: GuidelineVersion, code: str
) -> list[list[differing.Run]]:
    if latest is None or not latest.text_in(code):
        return []
    return differing.passages(
        differing.words(markup.plain(latest.text_in(code)), markup.plain(draft.text_in(code)))
    )


def _begins(draft: GuidelineVersion, now: dt.datetime) -> tuple[dt.datetime, str]:
    """When a draft would hold, on the company's clock, and a sentence where the clocks change.

    Raises NotReady for a day that is over.
    """
    programme = Programme.the()
    if draft.effective_on is None or draft.effective_on == programme.today(now):
        return now, ""
    if draft.effective_on < programme.today(now):
        raise NotReady("effective_on", _("The day from which it should hold is over."))
    read = wallclock.read(f"{draft.effective_on.isoformat()}T00:00", programme.zone)
    return read.at, read.note


@require_POST
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away, put a guideline away, or bring it back."""
    person, now = cast("Person", request.user), timezone.now()
    guideline = get_object_or_404(Guideline, pk=pk)
    wanted = request.POST.get("act", "")
    draft = GuidelineVersion.objects.filter(guideline=pk, published_at__isnull=True).first()
    if wanted == "discard" and draft:
        guidelines.discard(draft=draft, by=person, now=now)
        messages.success(request, _("The draft is gone."))
    elif wanted == "retire" and guidelines.retire(guideline=guideline, by=person, now=now):
        confirming.let_go(now=now)
        messages.success(request, _("Put away. Nobody owes it a yes; given ones are kept."))
    elif wanted == "back" and guidelines.bring_back(guideline=guideline, by=person, now=now):
        messages.success(request, _("It holds again. Grace times begin today."))
    return redirect("guideline_list")
