"""What the works-agreement record tells, read from the code: fields, evaluations, who looked.

Which fields and evaluations there are, nobody has to keep up: fields come from the declarations of
each room's ``takeout.py``, evaluations from the modules that ask :mod:`ambassadors.anonymity`. Only
their titles and readers for people are written down here, and the acts that count as a look: a
figure without a title is listed with the first line of its module.
"""

import ast
import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from . import audit
from .models import AuditEntry, Person
from .takeout import Table, columns, tables

# Titles for people, and who sees the figure. A module that is not here is listed all the same.
TITLES: dict[str, tuple[str, str]] = {
    "campaigns/audiences.py": (
        gettext_noop("How many a suggestion is meant for, in steps"), gettext_noop("newsroom"),
    ),
    "campaigns/campaigns.py": (
        gettext_noop("Campaigns: posts and conversations of five people or more"),
        gettext_noop("everybody here"),
    ),
    "campaigns/colleagues.py": (
        gettext_noop("How many colleagues say the same, in steps"), gettext_noop("who writes"),
    ),
    "campaigns/holds.py": (
        gettext_noop("What a hold stops: how many posts"), gettext_noop("newsroom, auditors"),
    ),
    "campaigns/moments.py": (
        gettext_noop("Many posts at one moment"), gettext_noop("newsroom"),
    ),
    "campaigns/months.py": (
        gettext_noop("The month of the programme"),
        gettext_noop("newsroom, HR, leads, auditors"),
    ),
    "campaigns/shares.py": (
        gettext_noop("How many used a wording, in steps"), gettext_noop("who writes"),
    ),
    "curation/board.py": (
        gettext_noop("How often suggestions and topics were shared"), gettext_noop("newsroom"),
    ),
    "curation/calendars.py": (
        gettext_noop("Posts of a day in the calendar"), gettext_noop("newsroom"),
    ),
    "curation/tags.py": (
        gettext_noop("Hashtags that several people use"), gettext_noop("newsroom"),
    ),
    "curation/tones.py": (
        gettext_noop("Tones of the week, own words and sameness"), gettext_noop("newsroom"),
    ),
    "campaigns/evidence.py": (
        gettext_noop("Export of proofs of a quarter"), gettext_noop("auditors, administrators"),
    ),
    "people/adoption.py": (
        gettext_noop("The way in: how many were invited, came and posted"),
        gettext_noop("newsroom, HR, leads, auditors"),
    ),
    "people/burden.py": (
        gettext_noop("Hours per month and “it is too much”, by kind of team"), gettext_noop("HR"),
    ),
    "people/concentration.py": (
        gettext_noop("How much rests on three people together, without names"), gettext_noop("HR"),
    ),
    "people/coverage.py": (
        gettext_noop("Who could speak: topic, language and site"), gettext_noop("HR"),
    ),
    "people/guideline_figures.py": (
        gettext_noop("How many confirmed a guideline, at the least"), gettext_noop("HR, newsroom"),
    ),
    "people/pulse.py": (gettext_noop("Pulse survey: counting"), gettext_noop("nobody")),
    "people/pulse_results.py": (
        gettext_noop("Pulse survey: results"), gettext_noop("everybody here"),
    ),
    "reception/figures.py": (
        gettext_noop("Questions of strangers: answered in time, by team and month"),
        gettext_noop("HR"),
    ),
    "reception/talk_figures.py": (
        gettext_noop("Talks of a quarter"), gettext_noop("HR, leads of experts"),
    ),
}  # fmt: skip
# Acts by which somebody saw what belongs to one person, or to many by name.
LOOKS = (
    "person.opened", "evidence.opened", "evidence.exported", "roster.exported",
    "coverage.exported", "takeout.exported",
)  # fmt: skip
_AGAIN = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A figure about a group: its title, who sees it, and where the code tells it."""

    title: str
    seen_by: str
    module: str


@cache
def evaluations() -> tuple[Evaluation, ...]:
    """Every module that tells a figure about a group. Reads the source once per process."""
    found = []
    for app in reversed(list(apps.get_app_configs())):
        root = Path(app.path)
        for path in sorted(root.rglob("*.py")) if _is_room(app.name) else ():
            module = f"{app.name}/{path.relative_to(root)}"
            text = path.read_text(encoding="utf-8")
            if "migrations" in path.parts or not _tells(module, text):
                continue
            first = (ast.get_docstring(ast.parse(text)) or module).splitlines()[0]
            title, seen_by = TITLES.get(module, (first, ""))
            found.append(Evaluation(title, seen_by, module))
    return tuple(found)


def _is_room(name: str) -> bool:
    return "." not in name and name in {"campaigns", "curation", "people", "reception"}


def _tells(module: str, text: str) -> bool:
    """Tell whether a module makes figures; pages that only hide small ones of another do not."""
    return "anonymity." in text and "/views/" not in module and "nordwind" not in module


def fields() -> list[tuple[Table, list[str]]]:
    """Every table about people with its columns, as the model graph has them."""
    return [(table, [field.name for field in columns(table)]) for table in tables()]


def note_look(*, person: Person, page: str, by: Person, now: dt.datetime) -> None:
    """Somebody opened a page about one person; once an hour it is written down, for both to see."""
    if person.pk == by.pk:
        return
    lately = AuditEntry.objects.filter(
        act="person.opened", subject="ambassadors.person", subject_id=str(person.pk),
        actor_id=by.pk, at__gt=now - _AGAIN,
    )  # fmt: skip
    if not lately.exists():
        audit.record("person.opened", person, by=by, now=now, page=page)


def looks() -> "QuerySet[AuditEntry]":
    """The access log: who opened whose data, and who took files with names."""
    return AuditEntry.objects.filter(act__in=LOOKS)


def looks_at(person: Person) -> "QuerySet[AuditEntry]":
    """Who opened the person's own pages, for them to read."""
    return AuditEntry.objects.filter(
        act__in=("person.opened", "takeout.exported"),
        subject="ambassadors.person",
        subject_id=str(person.pk),
    )
