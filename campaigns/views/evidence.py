"""The doors to the proofs: one's own, one by name with a reason, a quarter without names."""

import datetime as dt
import itertools
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from ambassadors import sheets
from ambassadors.models import Person
from campaigns import evidence as verbs
from campaigns import wording
from campaigns.evidence import EvidenceRefused
from campaigns.models import Evidence, Post
from campaigns.models.programme import ContentClass

_LONGEST = 1000
_QUARTERS = 12


def _proof(row: Evidence) -> dict[str, Any]:
    """A proof with its verdict, in the words of the page."""
    classes = dict(ContentClass.choices)
    return {
        "row": row,
        "verdict": verbs.verify(row),
        "approvals": [
            (kind, name, dt.datetime.fromisoformat(at)) for kind, name, at in verbs.approvers(row)
        ],
        "content_class": classes.get(ContentClass(row.content_class)) if row.content_class else "",
    }


def post_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """What is kept about one's own post, who opened it, and the same as a file."""
    person = cast("Person", request.user)
    post = get_object_or_404(Post.objects.of(person), pk=pk)
    rows = list(verbs.of(post))
    if request.GET.get("format") == "json":
        lines = [verbs.line(row) for row in rows]
        return _file(verbs.as_json(lines), "application/json", f"proof-{pk}.json")
    entries = list(verbs.looks_at(rows))
    who = dict(
        Person.objects.filter(pk__in=[e.actor_id for e in entries]).values_list("pk", "name")
    )
    context = {
        "post": post,
        "proofs": [_proof(row) for row in rows],
        "looks": [(entry, who.get(entry.actor_id or 0, "–")) for entry in entries],
    }
    return render(request, "proof.html", context)


def evidence(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Ask for one post by name or for a quarter without names, each with a reason."""
    if request.method != "POST":
        return _page(request, {})
    by, now = cast("Person", request.user), timezone.now()
    typed = {
        name: wording.clean(request.POST.get(name, "")[: 4 * _LONGEST])[:_LONGEST]
        for name in ("words", "reason", "quarter", "why")
    }
    try:
        if request.POST.get("act") == "open":
            row = verbs.open_one(words=typed["words"], reason=typed["reason"], by=by, now=now)
            name = verbs.names(row).get(str(row.author_key), "")
            return _page(request, {}, proof=_proof(row), author=name, reason=typed["reason"])
        rows = verbs.export(text=typed["quarter"], reason=typed["why"], by=by, now=now)
    except EvidenceRefused as refused:
        field = "why" if refused.field == "reason" and _exports(request) else refused.field
        return _page(request, typed, errors={field: refused.sentence}, status=422)
    name = f"evidence-{typed['quarter']}"
    if request.POST.get("act") == "csv":
        sheet = (list(row.values()) for row in rows)
        return sheets.download(itertools.chain([verbs.COLUMNS], sheet), name=name, mark=True)
    return _file(verbs.as_json(rows), "application/json", f"{name}.json")


def _exports(request: HttpRequest) -> bool:
    return request.POST.get("act") != "open"


def _page(request: HttpRequest, typed: dict[str, str], **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    context = {"typed": typed, "quarters": _quarters(timezone.now()), "errors": {}, **more}
    return render(request, "evidence.html", context, status=status)


def _quarters(now: dt.datetime) -> list[tuple[str, int, int]]:
    """The quarters of three years as value, year and number, the latest first."""
    index = now.year * 4 + (now.month - 1) // 3
    found = [(i // 4, i % 4 + 1) for i in range(index, index - _QUARTERS, -1)]
    return [(f"{year}-{number}", year, number) for year, number in found]


def _file(text: str, media_type: str, name: str) -> HttpResponse:
    answer = HttpResponse(text, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
