"""Teams, the roster of those who said yes to it, and dates of courses. Read only.

People come and go through SCIM (docs/directory.md); no post, reach or silence of anybody is here.
"""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from ambassadors.memberships import day_of
from ambassadors.models import Membership, Team, TeamKind
from people.models import Session
from people.roster import STAGES, Wanted

from .asking import key, word
from .endpoint import Endpoint, listing, operation


class KindBody(serializers.Serializer[TeamKind]):
    """What teams of a kind do."""

    slug = serializers.CharField()
    behaviour = serializers.ChoiceField(TeamKind.Behaviour.values)
    name_de = serializers.CharField()
    name_en = serializers.CharField()


class TeamBody(serializers.Serializer[Team]):
    """A group with a job."""

    id = serializers.IntegerField(source="pk")
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = KindBody()
    site = serializers.CharField(source="site.name", default=None, allow_null=True)
    purpose = serializers.CharField()
    capacity = serializers.IntegerField(allow_null=True, help_text="Places; null for no limit.")


class Teams(Endpoint):
    """``/teams``."""

    @listing("list_teams", "teams:read", TeamBody, tag="Teams", order=("pk",))
    def get(self, request: Request) -> "QuerySet[Team]":
        """List teams."""
        return Team.objects.select_related("kind", "site")


class OneTeam(Endpoint):
    """``/teams/{id}``."""

    @operation("read_team", "teams:read", TeamBody, tag="Teams", finds=True)
    def get(self, request: Request, pk: int) -> Team:
        """Read a team."""
        return get_object_or_404(Team.objects.select_related("kind", "site"), pk=pk)


class TermBody(serializers.Serializer[Membership]):
    """A term of somebody who said yes to being in the roster. One person may have several."""

    id = serializers.IntegerField(source="pk")
    person = serializers.IntegerField(source="person_id")
    name = serializers.CharField(source="person.name")
    job_title = serializers.CharField(source="person.job_title")
    site = serializers.CharField(source="person.site.name", default=None, allow_null=True)
    team = serializers.IntegerField(source="team_id")
    stage = serializers.ChoiceField(STAGES)
    started_on = serializers.DateField()
    until_on = serializers.DateField(allow_null=True)


class People(Endpoint):
    """``/people``."""

    @listing(
        "list_people", "people:read", TermBody, tag="People", order=("pk",),
        team=key("In this team."), stage=word("At this stage.", STAGES),
    )  # fmt: skip
    def get(self, request: Request, team: int = 0, stage: str = "") -> "QuerySet[Membership]":
        """List the terms of the roster: who is in which team, at which stage."""
        wanted = Wanted(team=team, stage=stage)
        rows = wanted.rows(self.person(request), day_of(timezone.now()))
        return rows.select_related("person__site")


class DateBody(serializers.Serializer[Session]):
    """One date of a course. Who has a seat stands nowhere here."""

    id = serializers.IntegerField(source="pk")
    course = serializers.IntegerField(source="course_id")
    title_de = serializers.CharField(source="course.title_de")
    title_en = serializers.CharField(source="course.title_en")
    language = serializers.CharField(source="course.language")
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    zone = serializers.CharField(help_text="The clock of its place, as Europe/Berlin.")
    room = serializers.CharField()
    free = serializers.IntegerField(help_text="Seats nobody has.")


class TrainingDates(Endpoint):
    """``/training-dates``."""

    @listing(
        "list_training_dates", "training:read", DateBody, tag="Training", order=("begins_at", "pk")
    )
    def get(self, request: Request) -> "QuerySet[Session]":
        """List the coming dates of courses on offer, the next one first."""
        return _coming()


class OneTrainingDate(Endpoint):
    """``/training-dates/{id}``."""

    @operation("read_training_date", "training:read", DateBody, tag="Training", finds=True)
    def get(self, request: Request, pk: int) -> Session:
        """Read a coming date."""
        return get_object_or_404(_coming(), pk=pk)


def _coming() -> "QuerySet[Session]":
    return Session.objects.filter(
        state="planned",
        begins_at__gt=timezone.now(),
        course__published_at__isnull=False,
        course__withdrawn_at__isnull=True,
    ).select_related("course")
