"""One question to a writer, made of the suggestion and of what they say about themselves.

A question and never a sentence to take over: the answer can only be theirs. The sentences are ours;
which one is asked depends on the two, so that neighbours are asked differently and nobody is asked
anew with every letter.
"""

import hashlib

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ambassadors.models import Person

from . import wording
from .models import Suggestion

# By the suggestion's tone: to somebody with a job title, to somebody with a site, to anybody.
QUESTIONS = {
    "proud": (
        gettext_noop("You work as “%(job)s”: what did you do for it that nobody saw?"),
        gettext_noop("What was it like in %(site)s on the day it worked?"),
        gettext_noop("Who would you thank here, and for which small thing?"),
    ),
    "useful": (
        gettext_noop("You work as “%(job)s”: what are you asked about this most often?"),
        gettext_noop("What is different about it in %(site)s?"),
        gettext_noop("What about “%(topic)s” did you learn only by doing it?"),
    ),
    "human": (
        gettext_noop("You work as “%(job)s”: which moment of this has stayed with you?"),
        gettext_noop("Who in %(site)s comes to your mind, and what did they say?"),
        gettext_noop("What made you laugh about it, or swallow?"),
    ),
    "honest": (
        gettext_noop("You work as “%(job)s”: what went wrong first, and what did you change?"),
        gettext_noop("What do people in %(site)s criticise about it, and are they right?"),
        gettext_noop("What is not good yet about “%(topic)s”?"),
    ),
    "critical": (
        gettext_noop("You work as “%(job)s”: what would you do differently?"),
        gettext_noop("What would have to change in %(site)s?"),
        gettext_noop("Which objection do you take seriously yourself?"),
    ),
}
GAPS = (
    gettext_noop("“%(gap)s”: what can be said only by somebody who works as “%(job)s”?"),
    gettext_noop("“%(gap)s”: what would you tell somebody who has never been to %(site)s?"),
    gettext_noop("“%(gap)s”: what would you tell a friend?"),
)


def question(suggestion: Suggestion, person: Person, *, text: str, drafts: list[str]) -> str:
    """The question, in the reader's language; an open gap of the text comes first."""
    left = wording.open_gaps(text, drafts)
    to_job, to_site, to_anybody = GAPS if left else QUESTIONS[suggestion.tone]
    site = person.site
    fitting = [to_job] * bool(person.job_title) + [to_site] * bool(site) + [to_anybody]
    seed = hashlib.sha256(f"{suggestion.pk} {person.pk}".encode()).digest()[0]
    return _(fitting[seed % len(fitting)]) % {
        "job": person.job_title,
        "site": site.name if site else "",
        "topic": suggestion.topic.title,
        "gap": left[0].strip("[]") if left else "",
    }
