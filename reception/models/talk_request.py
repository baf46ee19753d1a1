"""Somebody wants a speaker: the request, to whom it was offered, its history and its mails."""

import datetime as dt
import secrets
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from ambassadors import memberships
from ambassadors.models import Person
from campaigns import wallclock

from .speaker import Format, Speaker, Talk


def new_token() -> str:
    """256 random bits for an address that only its owner knows."""
    return secrets.token_urlsafe(32)


class TalkRequestQuerySet(models.QuerySet["TalkRequest"]):
    """Plain names for questions about talk requests."""

    def open(self) -> "TalkRequestQuerySet":
        """Those without an end."""
        return self.filter(state__in=TalkRequest.OPEN)

    def told(self, now: dt.datetime) -> "TalkRequestQuerySet":
        """With what follows from this moment: does anybody still think about it, who speaks."""
        waiting = Offer.objects.waiting(now).filter(request=OuterRef("pk"))
        return self.annotate(has_waiting=Exists(waiting)).select_related(
            "speaker__person", "talk", "coordinator"
        )

    def of(self, speaker: Speaker) -> "TalkRequestQuerySet":
        """Those a speaker was asked about or is booked for."""
        asked = Offer.objects.filter(request=OuterRef("pk"), speaker=speaker)
        return self.filter(Q(speaker=speaker) | Exists(asked))


class TalkRequest(models.Model):
    """One request, from inside or outside.

    Stored is who decided what; that its speaker has left, or that its day has passed, follows from
    the moment of asking. A date is what a clock on the wall of ``zone`` will say (``wall``);
    ``begins_at`` is that moment for the database's questions.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        OFFERED = "offered", _("speakers are asked")
        BOOKED = "booked", _("booked")
        HELD = "held", _("held")
        DECLINED = "declined", _("declined")
        CANCELLED = "cancelled", _("called off")
        LAPSED = "lapsed", _("lapsed")

    class Pays(models.TextChoices):
        NOTHING = "nothing", _("neither fee nor travel")
        TRAVEL = "travel", _("travel is covered")
        FEE = "fee", _("fee and travel")

    OPEN: ClassVar = ("requested", "offered", "booked")
    ENDED: ClassVar = ("held", "declined", "cancelled", "lapsed")
    # What is to be done before a talk, in its order.
    CHECKLIST: ClassVar = {
        "called": _("Talked to the organiser"),
        "travel": _("Way there and back"),
        "hotel": _("A bed for the night, where one is needed"),
        "deck": _("Slides are ready"),
        "tech": _("Stage and technology are settled"),
        "sheet": _("Speaker sheet sent"),
    }

    token = models.CharField(max_length=43, unique=True, default=new_token)
    submission = models.UUIDField(unique=True, help_text="Of the form; sent twice, it counts once.")
    asked_by = models.ForeignKey(
        Person,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: from outside.",
    )
    asker_name = models.CharField(max_length=120)
    asker_email = models.EmailField()
    organisation = models.CharField(max_length=160, blank=True)
    language = models.CharField(max_length=2, default="de", help_text="Of the mails.")
    event = models.CharField(max_length=160)
    format = models.CharField(max_length=12, choices=Format.choices, default=Format.TALK)
    topic = models.TextField(blank=True)
    talk = models.ForeignKey(Talk, on_delete=models.SET_NULL, null=True, blank=True)
    walls = models.JSONField(default=list, help_text="Proposed dates on the wall; none: not fixed.")
    zone = models.CharField(max_length=64, default="Europe/Berlin")
    minutes = models.PositiveSmallIntegerField(default=45)
    place = models.CharField(max_length=200, blank=True)
    remote = models.BooleanField(default=False)
    audience = models.CharField(max_length=300, blank=True)
    pays = models.CharField(max_length=8, choices=Pays.choices, default=Pays.NOTHING)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    asked_at = models.DateTimeField()
    coordinator = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    speaker = models.ForeignKey(
        Speaker, on_delete=models.SET_NULL, null=True, blank=True, related_name="bookings"
    )
    booked_at = models.DateTimeField(null=True, blank=True)
    wall = models.CharField(max_length=16, blank=True)
    begins_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)
    travel_note = models.TextField(blank=True)
    tech_note = models.TextField(blank=True)
    deck_url = models.URLField(max_length=500, blank=True)
    ticked = models.JSONField(default=list)
    prepared = models.PositiveIntegerField(default=0, help_text="Counts saves of the preparation.")
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    feedback = models.TextField(blank=True)
    rated_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="The speaker made an idea of it."
    )

    objects = TalkRequestQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state__in=["booked", "held"]) | Q(booked_at__isnull=False),
                name="talk_request_booked_at",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["held", "declined", "cancelled", "lapsed"])
                & Q(ended_at__isnull=False)
                | Q(state__in=["requested", "offered", "booked"]) & Q(ended_at__isnull=True),
                name="talk_request_ended_at",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["requested", "offered"])
                | Q(speaker__isnull=True, booked_at__isnull=True),
                name="talk_request_free_has_no_speaker",
            ),
            models.CheckConstraint(
                condition=Q(wall="", begins_at__isnull=True)
                | ~Q(wall="") & Q(begins_at__isnull=False),
                name="talk_request_wall_is_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True, rated_at__isnull=True)
                | Q(state="held", rating__gte=1, rating__lte=5, rated_at__isnull=False),
                name="talk_request_rated_when_held",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "-asked_at"], name="talk_request_state"),
        ]

    def __str__(self) -> str:
        return self.event

    @property
    def place_zone(self) -> ZoneInfo:
        """The clock of the place."""
        return ZoneInfo(self.zone)

    def read(self, wall: str) -> wallclock.Read:
        """A date of this request as a moment, with a sentence where that clock is ambiguous."""
        return wallclock.read(wall, self.place_zone)

    @property
    def proposed(self) -> list[dict[str, Any]]:
        """The proposed dates: ``wall`` as it is written, ``at`` on the clock there, ``note``."""
        zone, found = self.place_zone, []
        for wall in self.walls:
            read = self.read(wall)
            found.append({"wall": wall, "at": read.at.astimezone(zone), "note": read.note})
        return found

    @property
    def begins(self) -> dt.datetime | None:
        """When it begins, on the clock of the place, as time zones are counted today."""
        return self.read(self.wall).at.astimezone(self.place_zone) if self.wall else None

    @property
    def ends(self) -> dt.datetime | None:
        """When it ends, on the clock of the place."""
        begins = self.begins
        if begins is None:
            return None
        over = begins.astimezone(dt.UTC) + dt.timedelta(minutes=self.minutes)
        return over.astimezone(self.place_zone)

    @property
    def speaks(self) -> Person | None:
        """Who is booked and still works here."""
        person = self.speaker.person if self.speaker else None
        return person if person and person.left_at is None and person.is_active else None

    def latest(self) -> dt.datetime | None:
        """When the last moment it could begin at has come; None while no date is known."""
        if self.wall:
            return self.read(self.wall).at
        return max((self.read(wall).at for wall in self.walls), default=None)

    def stands(self, now: dt.datetime) -> str:
        """Where it stands at this moment; rows of :meth:`TalkRequestQuerySet.told` only.

        An end by its name, or ``free`` (somebody is needed), ``thinking`` (speakers are asked),
        ``booked``, ``orphaned`` (its speaker is here no more), ``was`` (held or not?), ``past``.
        """
        if self.state in self.ENDED:
            return self.state
        latest = self.latest()
        over = latest is not None and latest <= now
        if self.state == self.State.BOOKED:
            if self.speaks is None:
                return "orphaned"
            return "was" if over else "booked"
        if over:
            return "past"
        return "thinking" if getattr(self, "has_waiting", False) else "free"

    @property
    def own_talk(self) -> Talk | None:
        """The talk that is given: one of the booked speaker's own, while they are here."""
        talk = self.talk
        return talk if talk and talk.speaker_id == self.speaker_id and self.speaks else None

    @property
    def title(self) -> str:
        """What it is about in one line."""
        talk = self.own_talk
        return talk.title if talk else self.topic.split("\n")[0][:160]


class OfferQuerySet(models.QuerySet["Offer"]):
    """Plain names for questions about offers."""

    def waiting(self, now: dt.datetime) -> "OfferQuerySet":
        """Those that can still be answered by somebody who is still able to speak."""
        return self.filter(
            request__state="offered",
            over_at__isnull=True,
            closed_at__isnull=True,
            until_at__gt=now,
            speaker__in=Speaker.objects.able(memberships.day_of(now)).values("pk"),
        )


class Offer(models.Model):
    """One speaker was asked about one request.

    ``over_at`` is a no and ``closed_at`` another's yes; both are told to nobody but the speaker.
    """

    request = models.ForeignKey(TalkRequest, on_delete=models.CASCADE, related_name="offers")
    speaker = models.ForeignKey(Speaker, on_delete=models.CASCADE, related_name="offers")
    offered_at = models.DateTimeField()
    until_at = models.DateTimeField()
    over_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["offered_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "speaker"], name="offer_once"),
            models.CheckConstraint(
                condition=Q(until_at__gt=F("offered_at")), name="offer_runs_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.speaker_id}"


class TalkStep(models.Model):
    """History: since when a request was in a state. It names nobody."""

    request = models.ForeignKey(TalkRequest, on_delete=models.CASCADE, related_name="steps")
    state = models.CharField(max_length=10, choices=TalkRequest.State.choices)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.state} {self.at:%Y-%m-%d}"


class TalkMail(models.Model):
    """A mail that a step asks for, written with the step and sent by a worker."""

    request = models.ForeignKey(TalkRequest, on_delete=models.CASCADE, related_name="mails")
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, null=True, blank=True, help_text="Empty: the asker."
    )
    subject = models.CharField(max_length=250)
    text = models.TextField()
    with_calendar = models.BooleanField(default=False)
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["written_at"], condition=Q(sent_at__isnull=True), name="talk_mail_due"
            ),
        ]

    def __str__(self) -> str:
        return self.subject
