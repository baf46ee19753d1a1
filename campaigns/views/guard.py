"""What stands beside a text while it is written: whose words, how many say it, one question."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from ambassadors.kept import number
from ambassadors.models import Person
from campaigns import asking, colleagues, hinting, hints, wording
from campaigns.models import Suggestion, Variant
from campaigns.share_checks import ShareRefused

LONGEST = 4000  # characters; beyond it the word comparison is left to the first refusal


def guard(
    suggestion: Suggestion,
    variants: Sequence[Variant],
    variant: Variant,
    text: str,
    *,
    person: Person,
    now: dt.datetime,
) -> dict[str, Any]:
    """The context of ``parts/voice.html``; the composer and its fragment show the same."""
    text = text[:LONGEST]
    base = suggestion.draft(variant)
    voice = wording.voice(base, text)
    step = colleagues.saying(text, suggestion, person=person, now=now)
    found: dict[str, Any] = {"voice": voice, "alike": step, "question": "", "rarest": None}
    if step or (base and voice.level != "yours"):
        drafts = [suggestion.draft(one) for one in variants]
        found["question"] = asking.question(suggestion, person, text=text, drafts=drafts)
    if step and text.split() == base.split():  # nothing of one's own would be lost
        found["rarest"] = colleagues.rarest(variant, variants, suggestion, now=now)
    topic = suggestion.topic
    found["hints"] = hints.hints(
        text,
        hinting.chosen(person),
        language=variant.language,
        rules=hints.Rules([*topic.leave_out, *suggestion.leave_out], topic.glossary),
        local=person.local(now),
    )
    return found


def look_once(
    form: QueryDict, text: str, suggestion: Suggestion, *, person: Person, now: dt.datetime
) -> None:
    """Before a text is queued: say once that many say it, if the page has not said so yet.

    It said so if it compared this text, or if nobody had to be told. Pressing again shares; being
    like others bars nothing. Raises :class:`ShareRefused`.
    """
    told = number(form.get("told", ""))
    step = colleagues.saying(text[:LONGEST], suggestion, person=person, now=now)
    if told is not None and step and step > told:
        sentence = _(
            "%(count)s or more colleagues say nearly the same. If you mean it so, press again."
        )
        raise ShareRefused("alike", sentence % {"count": step})
