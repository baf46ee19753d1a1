"""The five questions of the pulse survey and their steps. Fixed, so that quarters compare."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Question:
    """A statement to agree with; ``good`` says whether agreeing is what one would wish for."""

    text: Promise
    good: bool = True


QUESTIONS = (
    Question(_("I can leave a suggestion alone, and nobody holds it against me.")),
    Question(_("I trust that nobody here looks at what I post and what I do not.")),
    Question(_("I feel pushed to post something."), good=False),
    Question(_("What I share are my own words and my own opinion.")),
    Question(_("If a post of mine causes trouble, the company stands by me.")),
)
STEPS = (_("not at all"), _("rather not"), _("partly"), _("rather"), _("fully"))
