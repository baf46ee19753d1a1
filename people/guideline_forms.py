"""What the form of a guideline says: its words in two languages, its terms, its questions."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from ambassadors.guidelines import FIELDS
from ambassadors.models import GuidelineVersion
from ambassadors.models.guideline import LONGEST_GRACE
from campaigns import wording

LONGEST_TEXT = 100_000  # characters; a book nobody would read
QUESTIONS, CHOICES = 5, 3
_LONGEST_LINE = 300
_FIRST_YEAR, _LAST_YEAR = 2001, 2099
Row = dict[str, Any]


class Words(forms.CharField):
    """A text as it may be stored."""

    def to_python(self, value: object) -> str:
        """Clean it before it is measured."""
        return wording.clean(super().to_python(value) or "")


class GuidelineForm(forms.Form):
    """Everything but the questions."""

    title_de = Words(required=False, max_length=120)
    title_en = Words(required=False, max_length=120)
    text_de = Words(required=False, max_length=LONGEST_TEXT)
    text_en = Words(required=False, max_length=LONGEST_TEXT)
    change_de = Words(required=False, max_length=240)
    change_en = Words(required=False, max_length=240)
    requires_yes = forms.BooleanField(required=False)
    grace_days = forms.IntegerField(min_value=1, max_value=LONGEST_GRACE)
    effective_on = forms.DateField(required=False)

    def clean(self) -> dict[str, Any]:
        """Storable texts, one line where one is meant, a day of this century."""
        found: dict[str, Any] = super().clean() or {}
        for name in ("text_de", "text_en", "title_de", "title_en", "change_de", "change_en"):
            found.setdefault(name, "")
            if not name.startswith("text"):
                found[name] = " ".join(found[name].split())
            if wording.is_stacked(found[name]):
                self.add_error(name, _("Too many marks stand on one letter."))
            elif wording.is_blank(found[name]):
                found[name] = ""
        if not self.errors and not found["title_de"] and not found["title_en"]:
            self.add_error("title_de", _("Give it a title."))
        day = found.get("effective_on")
        if day and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            self.add_error("effective_on", _("Pick a day of this century."))
        return found


def opened(version: GuidelineVersion) -> GuidelineForm:
    """The form as it shows a stored draft."""
    return GuidelineForm(initial={name: getattr(version, name) for name in FIELDS})


def typed_quiz(form: QueryDict) -> list[Row]:
    """The questions of the form in their places, as they were typed."""
    return [
        {
            **{
                f"{name}_{language}": " ".join(
                    wording.clean(form.get(f"q{place}_{name}_{language}", "")).split()
                )
                for name in ("question", "why")
                for language in ("de", "en")
            },
            "choices": [
                {
                    f"text_{language}": " ".join(
                        wording.clean(form.get(f"q{place}_c{choice}_{language}", "")).split()
                    )
                    for language in ("de", "en")
                }
                for choice in range(CHOICES)
            ],
            "right": form.get(f"q{place}_right", ""),
        }
        for place in range(QUESTIONS)
    ]


def shown_quiz(version: GuidelineVersion) -> list[Row]:
    """Stored questions in the places of the form, empty ones after them."""
    return [*version.quiz, *({} for _n in range(QUESTIONS))][:QUESTIONS]


def _said(texts: Row) -> bool:
    return any(value for key, value in texts.items() if key.endswith(("_de", "_en")))


def read_quiz(rows: list[Row]) -> tuple[list[Row], dict[int, str]]:
    """The questions as they are kept, and what is wrong with which place. Empty ones fall away."""
    kept, wrong = [], {}
    for place, row in enumerate(rows):
        choices = [(str(n), choice) for n, choice in enumerate(row["choices"]) if _said(choice)]
        if not choices and not _said(row):
            continue
        lines = [*choices, ("", {k: v for k, v in row.items() if k.endswith(("_de", "_en"))})]
        right = [n for n, (name, _choice) in enumerate(choices) if name == row["right"]]
        if any(len(text) > _LONGEST_LINE for _n, line in lines for text in line.values()):
            wrong[place] = _("Shorter please, at most %(most)s characters.") % {
                "most": _LONGEST_LINE
            }
        elif not row["question_de"] and not row["question_en"]:
            wrong[place] = _("Write the question.")
        elif len(choices) < 2:
            wrong[place] = _("A question needs two answers to choose from.")
        elif not right:
            wrong[place] = _("Mark the answer that is right.")
        told = [choice for _n, choice in choices]
        kept.append({**row, "choices": told, "right": right[0] if right else 0})
    return kept, wrong
