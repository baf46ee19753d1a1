"""What a person may take along, and what becomes of it when they are erased: one declaration.

Every app has a ``takeout.py`` with two names. ``TABLES`` lists what is told, ``UNTOLD`` names the
columns that point at a person and are not told, with the reason. A test walks all models and
fails on a column that points at a person and stands in neither.

:mod:`ambassadors.erasing` does what stands here: ``DELETED`` rows go; ``NAMELESS`` rows stay
without the person, and without their ``words``; what is "kept …" stays as it is and leads to a
row of the person that is emptied, or to an evidence key that is nobody's any more.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_noop

from .models import (
    Absence,
    Acknowledgement,
    AuditEntry,
    Consent,
    Erasure,
    GuidelineReminder,
    LoginSession,
    Membership,
    MembershipStep,
    Note,
    Person,
    PrivateAddress,
    QuizPass,
    Role,
    SavedView,
    SecretFeed,
    Takeout,
    Team,
    TimeOff,
)

# What erasing a person does with a row.
DELETED = "deleted"
NAMELESS = "stays, without the person"
EMPTIED = "stays, emptied: rows that others rely on point here"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a model that are a person's own, and the lookup ``whose`` that leads to them.

    All columns are told but keys of ours, columns that point at other people, and ``left_out``.
    ``whose`` may also end at a ``person_key``, where proofs name a person by their evidence key.
    ``files`` names the columns whose files go along. ``title`` is for people.

    ``words`` are columns with what the person wrote in a row that stays: erasing empties them.
    ``names`` are columns that say who they are: erasing strikes them from the record's words.
    """

    model: type[models.Model]
    whose: str
    title: str
    erasure: str
    left_out: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Untold:
    """Why a column that points at a person is not told, and what erasing does with it."""

    because: str
    erasure: str


KEPT_AUDIT = "kept without a name: the record of switches is what the works council relies on"
IN_RECORD = "your own acts stand in your record; this row is the company's"
TABLES = (
    Table(
        Person,
        "pk",
        gettext_noop("You"),
        EMPTIED,
        left_out=("password", "email_normalised", "is_staff", "is_superuser", "evidence_key"),
        names=("name", "email", "external_id"),
    ),
    Table(Role, "person", gettext_noop("Roles"), DELETED),
    Table(Membership, "person", gettext_noop("Terms in teams"), DELETED),
    Table(MembershipStep, "membership__person", gettext_noop("Steps of your terms"), DELETED),
    Table(Team, "lead", gettext_noop("Teams you lead"), NAMELESS),
    Table(Consent, "person", gettext_noop("Consents"), DELETED),
    Table(
        Acknowledgement,
        "person_key",
        gettext_noop("Guidelines you said yes to"),
        "kept without a name: the person's evidence key is gone with them",
        left_out=("person_key",),
    ),
    Table(QuizPass, "person", gettext_noop("Questions on guidelines you passed"), DELETED),
    Table(GuidelineReminder, "person", gettext_noop("Reminders of guidelines"), DELETED),
    Table(Absence, "person", gettext_noop("Absences"), DELETED),
    Table(TimeOff, "person", gettext_noop("Time off"), DELETED),
    Table(Note, "person", gettext_noop("Notebook"), DELETED, left_out=("key",)),
    Table(SavedView, "person", gettext_noop("Views you saved"), DELETED),
    Table(
        PrivateAddress,
        "person",
        gettext_noop("Your address outside"),
        DELETED,
        names=("address",),
    ),
    Table(
        LoginSession,
        "person",
        gettext_noop("Where you are logged in"),
        DELETED,
        left_out=("session_data", "expire_date"),
    ),
    Table(Takeout, "person", gettext_noop("Links to your data"), DELETED, left_out=("key",)),
    Table(SecretFeed, "person", gettext_noop("Addresses of your calendars"), DELETED),
    Table(AuditEntry, "actor_id", gettext_noop("Your record: what you switched"), KEPT_AUDIT),
    Table(
        Erasure,
        "person",
        gettext_noop("Your wish to be erased"),
        "kept without a name: the proof that it was done",
        left_out=("key",),
    ),
)
UNTOLD = {
    "ambassadors.GuidelineVersion.changed_by": Untold("a draft is the company's", NAMELESS),
    "ambassadors.DirectoryRow.person_key": Untold(
        "a line of a file that is being read in; it is gone with the file", DELETED
    ),
    "ambassadors.Erasure.asked_by": Untold(IN_RECORD, NAMELESS),
    "ambassadors.RetentionRule.changed_by": Untold(IN_RECORD, NAMELESS),
    "ambassadors.SwitchTurn.by": Untold(IN_RECORD, NAMELESS),
    "ambassadors.Absence.deputy": Untold("it is the absence of a colleague", DELETED),
    "ambassadors.Person_groups.person": Untold("Django's groups are not used", DELETED),
    "ambassadors.Person_user_permissions.person": Untold("Django's are not used", DELETED),
}


def tables() -> tuple[Table, ...]:
    """All tables that are told, the lowest floor first."""
    return tuple(table for room in _rooms() for table in room.TABLES)


def untold() -> dict[str, Untold]:
    """All columns that point at a person and are not told, with the reason."""
    return {name: reason for room in _rooms() for name, reason in room.UNTOLD.items()}


def _rooms() -> list[Any]:
    """The declarations of all rooms: settings name the rooms, the highest first."""
    rooms = [app for app in apps.get_app_configs() if module_has_submodule(app.module, "takeout")]
    return [import_module(f"{app.name}.takeout") for app in reversed(rooms)]


def columns(table: Table) -> list["models.Field[Any, Any]"]:
    """The columns that are told: no keys of ours, nobody else, nothing left out."""
    return [
        field
        for field in table.model._meta.concrete_fields  # noqa: SLF001 - Django's documented name
        if not field.primary_key
        and field.related_model is not Person
        and field.name not in table.left_out
    ]
