"""Dates of courses, and who has a seat."""

import datetime as dt
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person

from .course import Course


class Session(models.Model):
    """One date of a course.

    What was meant is what the clock on the wall of its place says (``begins_wall``, ``zone``);
    the instants follow from it, also when a country changes its clocks' rules.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        CALLED_OFF = "called_off", _("called off")

    course = models.ForeignKey(Course, on_delete=models.PROTECT)
    zone = models.CharField(max_length=64)
    begins_wall = models.CharField(max_length=16, help_text="2026-03-29T09:00")
    ends_wall = models.CharField(max_length=16)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    room = models.CharField(max_length=200, blank=True)
    link = models.URLField(max_length=500, blank=True)
    trainer = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="trains"
    )
    trainer_name = models.CharField(max_length=120, blank=True, help_text="Of somebody from out.")
    seats = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(
        default=0, help_text="Seats of bookings that hold one; moved with them, never counted."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    called_off_at = models.DateTimeField(null=True, blank=True)
    why_off = models.CharField(max_length=300, blank=True)
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["begins_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(taken__lte=F("seats")), name="session_has_seats"),
            models.CheckConstraint(
                condition=Q(seats__gte=1, seats__lte=1000), name="session_seats_of_a_room"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("begins_at")), name="session_ends_after_begin"
            ),
            models.CheckConstraint(
                condition=Q(state="called_off", called_off_at__isnull=False)
                | Q(state="planned", called_off_at__isnull=True),
                name="session_called_off_at",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["course", "begins_at"], name="session_course_time"),
            models.Index(fields=["begins_at"], name="session_time"),
        ]

    def __str__(self) -> str:
        return f"{self.course_id} {self.begins_wall}"

    def on_wall(self, instant: dt.datetime) -> dt.datetime:
        """Show an instant on the clock of the place."""
        return instant.astimezone(ZoneInfo(self.zone))

    @property
    def begins(self) -> dt.datetime:
        """The beginning on the clock of the place."""
        return self.on_wall(self.begins_at)

    @property
    def ends(self) -> dt.datetime:
        """The end on the clock of the place."""
        return self.on_wall(self.ends_at)

    @property
    def free(self) -> int:
        """Seats nobody has."""
        return self.seats - self.taken

    @property
    def who_trains(self) -> str:
        """The trainer's name, empty when none is named."""
        return self.trainer.name if self.trainer else self.trainer_name


class Booking(models.Model):
    """One person's place in one session: a seat, a place in the line, or neither any more."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ASKED = "asked", _("a seat is offered")
        BOOKED = "booked", _("booked")
        GIVEN_BACK = "given_back", _("given back")
        ATTENDED = "attended", _("was there")

    class News(models.TextChoices):
        NONE = ""
        MOVED_UP = "moved_up"
        ASKED = "asked"
        CHANGED = "changed"
        CALLED_OFF = "called_off"

    OPEN: ClassVar = ("waiting", "asked", "booked", "attended")
    HOLDS_A_SEAT: ClassVar = ("asked", "booked", "attended")

    session = models.ForeignKey(Session, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="seats")
    state = models.CharField(max_length=10, choices=State.choices)
    since_at = models.DateTimeField(help_text="In this state; the order of the line.")
    answer_by = models.DateTimeField(
        null=True, blank=True, help_text="Until when an offered seat is kept."
    )
    news = models.CharField(
        max_length=10, choices=News.choices, blank=True, help_text="What a mail must still say."
    )
    reminded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["since_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session", "person"],
                condition=~Q(state="given_back"),
                name="booking_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state="asked", answer_by__isnull=False)
                | (~Q(state="asked") & Q(answer_by__isnull=True)),
                name="booking_asked_until",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["news"], condition=~Q(news=""), name="booking_untold"),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.person_id} {self.state}"
