"""The tone page: how the house sounds, and how alike people sound."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns.models import Suggestion
from curation import tones

_LEAST_WEEKS = 2


def labels() -> dict[str, str]:
    """A tone's name in the reader's language; job ads sound like job ads."""
    return {**{str(k): str(v) for k, v in Suggestion.Tone.choices}, tones.JOB_AD: _("job ad")}


def show(request: HttpRequest) -> HttpResponse:
    """The whole page; nothing on it is about one person."""
    person, now = cast("Person", request.user), timezone.now()
    weeks = tones.weeks(person, now)
    while len(weeks) > _LEAST_WEEKS and not weeks[0].total:
        weeks = weeks[1:]
    names = labels()
    most = max(week.total for week in weeks)
    context = {
        "tones": [(tone, names[tone]) for tone in tones.TONES],
        "weeks": [
            {
                "week": week,
                "boxes": _stacked(week.counts, most),
                "counts": [
                    (names[tone], n) for tone, n in zip(tones.TONES, week.counts, strict=True)
                ],
            }
            for week in weeks
        ],
        "only": names.get(tones.only_tone(now), ""),
        "uses": tones.uses(now),
        "goal": tones.GOAL,
    }
    return render(request, "tones.html", context)


def _stacked(counts: tuple[int, ...], most: int) -> list[tuple[str, str, str]]:
    """Boxes of a bar a hundred wide: tone, where it begins, how wide."""
    x, boxes = 0.0, []
    for tone, n in zip(tones.TONES, counts, strict=True):
        width = 100 * n / max(most, 1)
        if n:
            boxes.append((tone, f"{x:.2f}", f"{max(width - 0.5, 0.5):.2f}"))
        x += width
    return boxes
