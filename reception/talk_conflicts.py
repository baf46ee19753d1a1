"""What a speaker has at the same time, as far as this house knows. It warns and forbids nothing."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.utils import formats
from django.utils.translation import gettext as _

from ambassadors.models import Absence
from campaigns.models import Takeover

from .models import Speaker, TalkRequest

_WAY = dt.timedelta(hours=3)  # before and after a talk: people travel


def conflicts(
    speakers: Sequence[Speaker], request: TalkRequest, *, now: dt.datetime
) -> dict[int, list[str]]:
    """Sentences for each speaker with something at a date of the request. Three queries."""
    if request.wall:
        moments = [request.read(request.wall).at]
    else:
        moments = [request.read(wall).at for wall in request.walls]
    found: dict[int, list[str]] = defaultdict(list)
    if not moments or not speakers:
        return found
    length = dt.timedelta(minutes=request.minutes)
    people = {speaker.person_id: speaker.pk for speaker in speakers}
    slots = [(at - _WAY, at + length + _WAY) for at in moments]
    first, last = min(slots)[0], max(end for _begin, end in slots)
    talks = TalkRequest.objects.filter(
        speaker__in=[s.pk for s in speakers],
        state="booked",
        begins_at__gte=first - dt.timedelta(days=1),
        begins_at__lt=last,
    ).exclude(pk=request.pk)
    busy = [
        (row.speaker_id, row.begins_at, row.begins_at + dt.timedelta(minutes=row.minutes))
        for row in talks
        if row.begins_at
    ]
    lent = Takeover.objects.standing(now).filter(
        person__in=people, begins_at__lt=last, ends_at__gt=first
    )
    slots_lent = [(people[row.person_id], row.begins_at, row.ends_at) for row in lent]
    away = Absence.objects.filter(person__in=people, ended_at__isnull=True)
    for (begin, end), at in zip(slots, moments, strict=True):
        day = formats.date_format(at.astimezone(request.place_zone), "j. F")
        for speaker, starts, ends in busy:
            if speaker and starts < end and ends > begin:
                found[speaker].append(_("%(day)s: speaks elsewhere") % {"day": day})
        for speaker, starts, ends in slots_lent:
            if starts < end and ends > begin:
                found[speaker].append(_("%(day)s: has a channel takeover") % {"day": day})
        for row in away:
            if row.named_at < end and row.until_on >= at.astimezone(request.place_zone).date():
                found[people[row.person_id]].append(_("%(day)s: is away") % {"day": day})
    return found
