"""The pulse survey. No row holds an answer, and none says who gave one (docs/programme.md)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from ambassadors.models import Person


class PulseRound(models.Model):
    """One quarter's survey: when it may be answered."""

    quarter = models.CharField(max_length=6, unique=True, help_text="2026-4: the fourth of 2026.")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    salt = models.CharField(max_length=64, help_text="Gone when it is closed; so are the tickets.")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-quarter"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="pulse_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=(Q(closed_at__isnull=True) & ~Q(salt=""))
                | Q(closed_at__isnull=False, salt=""),
                name="pulse_closed_without_salt",
            ),
        ]

    def __str__(self) -> str:
        return self.quarter

    @property
    def label(self) -> str:
        """As people write it: 4/2026."""
        year, _sign, quarter = self.quarter.partition("-")
        return f"{quarter}/{year}"


class PulseTicket(models.Model):
    """The right to answer once. Written when the round opens, never changed, deleted at its end.

    Whose it is follows from a keyed hash that needs the installation's secret.
    """

    round = models.ForeignKey(PulseRound, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64)
    place = models.PositiveIntegerField(help_text="Which bit of the box it spends.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "digest"], name="pulse_ticket_once"),
            models.UniqueConstraint(fields=["round", "place"], name="pulse_place_once"),
        ]

    def __str__(self) -> str:
        return str(self.place)


class PulseBox(models.Model):
    """The ballot box: one row, written anew as a whole by each answer.

    ``spent`` has one bit for each ticket. ``tallies`` has, for each group, how often each step of
    each question was chosen. ``comments`` are shaken whenever one is put in. So the row as it
    stands is the same whatever the order of the answers was.
    """

    round = models.OneToOneField(PulseRound, on_delete=models.CASCADE, related_name="box")
    spent = models.BinaryField(default=bytes)
    tallies = models.JSONField(default=dict)
    comments = models.JSONField(default=list)

    def __str__(self) -> str:
        return str(self.round_id)


class PulseMail(models.Model):
    """That the one mail about a round was written, to everybody alike; deleted at its end."""

    round = models.ForeignKey(PulseRound, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "person"], name="pulse_mail_once"),
        ]

    def __str__(self) -> str:
        return str(self.round_id)


class PulseSilence(models.Model):
    """Somebody wants no mails about the survey."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.since)
