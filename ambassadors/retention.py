"""How long things are kept: one table of classes over all rooms, a dry run, and a job with a log.

Each room's ``retention.py`` lists its classes under ``KEPT``; a new class is one entry there. The
nightly job, the page with its dry run and the log all read this table, and so does every sentence
that names a number of days. ``CLOSES`` there are figures of months that are over: they are told
before anything goes.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import F, Min, QuerySet
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from . import audit, chain
from .models import AuditEntry, AuditSeal, LoginSession, Person, RetentionRule, RetentionRun

_AT_ONCE = 500  # rows of one transaction
_MOST = 50_000  # rows of a class in one night; the rest goes in the next ones

Rows = Callable[[dt.datetime], "QuerySet[Any]"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A class of data: ``rows(before)`` are those that may go, ``why`` says what they are kept for.

    ``days`` is usual; an administrator may choose from ``least`` to ``most``. Equal bounds mean
    that the law or a promise has decided; no days at all, that each row names its own. ``let_go``
    replaces deleting, for what needs more than that; it gets one batch and says how many it took.
    """

    name: str
    title: str
    why: str
    days: int
    least: int
    most: int
    rows: Rows
    let_go: "Callable[[list[Any], dt.datetime], int] | None" = None

    @property
    def fixed(self) -> bool:
        """Tell whether nobody chooses the days."""
        return self.least == self.most


class NotChanged(Exception):
    """The days stay as they are; the argument is a sentence."""


def _old_seals(before: dt.datetime) -> "QuerySet[AuditSeal]":
    """Seals of the record whose entries are over, up to the first with a younger one."""
    younger = AuditSeal.objects.filter(last_at__gte=before).aggregate(first=Min("number"))["first"]
    gone = AuditEntry.objects.filter(act="record.let_go").values_list("subject_id", flat=True)
    rows = AuditSeal.objects.filter(last_at__lt=before, number__gt=int(gone.first() or 0))
    return rows if younger is None else rows.filter(number__lt=younger)


def _let_go_of_entries(seals: list[AuditSeal], now: dt.datetime) -> int:
    del now
    return chain.let_go(seals[-1])


def _over(before: dt.datetime) -> "QuerySet[LoginSession]":
    return LoginSession.objects.filter(expire_date__lt=before)


KEPT = (
    Kept(
        name="sessions",
        title=gettext_noop("Logins that have ended"),
        why=gettext_noop("A form that was typed when a login ended is handed back after the next."),
        days=1,
        least=1,
        most=1,
        rows=_over,
    ),
    Kept(
        name="record",
        title=gettext_noop("The record: who turned which switch"),
        why=gettext_noop(
            "So that the works council can look back over a year; a trigger keeps the first one."
        ),
        days=730,
        least=365,
        most=730,
        rows=_old_seals,
        let_go=_let_go_of_entries,
    ),
)
# What no clock deletes, and why.
UNTIMED = (
    (
        gettext_noop("Notebook, posts and ideas"),
        gettext_noop("They are their author’s. Authors delete them, or have everything erased."),
    ),
    (
        gettext_noop("Consents and guidelines that were confirmed"),
        gettext_noop("The proof of a yes lasts as long as the person is here."),
    ),
)


def _rooms() -> list[Any]:
    """The ``retention.py`` of all rooms, the lowest floor first."""
    rooms = [a for a in apps.get_app_configs() if module_has_submodule(a.module, "retention")]
    return [import_module(f"{app.name}.retention") for app in reversed(rooms)]


def classes() -> tuple[Kept, ...]:
    """All classes, the lowest floor first."""
    return tuple(kept for room in _rooms() for kept in room.KEPT)


def days(name: str) -> int:
    """For how many days a class is kept. One query. Raises KeyError for no class."""
    usual = {kept.name: kept.days for kept in classes()}[name]
    own = RetentionRule.objects.filter(name=name).values_list("days", flat=True).first()
    return usual if own is None else own


def chosen() -> dict[str, int]:
    """The days of all classes. One query."""
    own = dict(RetentionRule.objects.values_list("name", "days"))
    return {kept.name: own.get(kept.name, kept.days) for kept in classes()}


@transaction.atomic
def change(*, name: str, typed: str, by: Person, now: dt.datetime) -> int:
    """Keep a class for another number of days; returns it.

    Effects in order: the rule, audit entry. Nothing is deleted before the next night. Raises
    :class:`NotChanged`, and KeyError for no class.
    """
    kept = {one.name: one for one in classes()}[name]
    text = typed.strip()
    wanted = int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else -1
    if not kept.least <= wanted <= kept.most or kept.fixed:
        raise NotChanged(
            _("Between %(least)s and %(most)s days.") % {"least": kept.least, "most": kept.most}
        )
    before = days(name)
    if wanted != before:
        rule, _new = RetentionRule.objects.update_or_create(
            name=name, defaults={"days": wanted, "changed_at": now, "changed_by": by}
        )
        audit.record(
            "retention.changed", rule, by=by, now=now, name=name, before=before, days=wanted
        )
    return wanted


def shortest(name: str, *, since: dt.datetime) -> int:
    """The fewest days for which a class was kept at any time since. Two queries."""
    turns = AuditEntry.objects.filter(act="retention.changed", facts__name=name, at__gte=since)
    told = [days for facts in turns.values_list("facts", flat=True) for days in _both(facts)]
    return min([days(name), *told])


def _both(facts: dict[str, int]) -> tuple[int, int]:
    return facts["before"], facts["days"]


def would_go(*, now: dt.datetime) -> dict[str, bool]:
    """The dry run: whether the next night takes anything of a class. One query for each class.

    How much it is counted nowhere: it would tell what single people did.
    """
    chosen_days = chosen()
    return {
        kept.name: kept.rows(now - dt.timedelta(days=chosen_days[kept.name])).exists()
        for kept in classes()
    }


def run(*, now: dt.datetime, on: dt.date) -> int:
    """Let go of what is over, class by class; returns how many rows went.

    First the months that are over are told; where that fails, nothing goes this night. Then in
    batches of their own transactions, so that dying in between loses nothing and a second run
    finds only what is left. Each batch is added to the day's line in the log with it.
    """
    for room in _rooms():
        for close in getattr(room, "CLOSES", ()):
            close(now=now)
    return sum(_run(kept, days_, now, on) for kept, days_ in _with_days())


def _with_days() -> list[tuple[Kept, int]]:
    chosen_days = chosen()
    return [(kept, chosen_days[kept.name]) for kept in classes()]


def _run(kept: Kept, days_: int, now: dt.datetime, on: dt.date) -> int:
    before, total = now - dt.timedelta(days=days_), 0
    while total < _MOST:
        with transaction.atomic():
            batch = list(kept.rows(before).order_by("pk")[:_AT_ONCE])
            if not batch:
                break
            if kept.let_go:
                gone = kept.let_go(batch, now)
            else:
                kept.rows(before).model._base_manager.filter(  # noqa: SLF001
                    pk__in=[row.pk for row in batch]
                ).delete()
                gone = len(batch)
            _note(kept, days_, gone, now, on)
        total += gone
        if len(batch) < _AT_ONCE or not gone:
            break
    return total


def _note(kept: Kept, days_: int, gone: int, now: dt.datetime, on: dt.date) -> None:
    line, _new = RetentionRun.objects.get_or_create(
        name=kept.name, on=on, defaults={"last_at": now, "days": days_}
    )
    RetentionRun.objects.filter(pk=line.pk).update(gone=F("gone") + gone, last_at=now, days=days_)
