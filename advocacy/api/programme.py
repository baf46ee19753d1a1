"""What the programme gives to read: guidelines, issues of the briefing, campaigns; and ideas."""

import datetime as dt
import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from ambassadors.models import GuidelineVersion
from campaigns import proposals
from campaigns.models import Briefing, Campaign, Programme, Proposal

from .asking import day, word
from .endpoint import Endpoint, listing, operation
from .fields import Body, Text, YesNo
from .problems import Problem
from .topics import _LIGHTS, _LINES


class GuidelineBody(serializers.Serializer[GuidelineVersion]):
    """The version of a guideline that holds now. Text in a language may be empty."""

    id = serializers.IntegerField(source="guideline_id")
    slug = serializers.CharField(source="guideline.slug")
    number = serializers.IntegerField()
    title_de = serializers.CharField()
    title_en = serializers.CharField()
    text_de = serializers.CharField(help_text="Markdown.")
    text_en = serializers.CharField(help_text="Markdown.")
    effective_at = serializers.DateTimeField()
    requires_yes = serializers.BooleanField()


class Guidelines(Endpoint):
    """``/guidelines``."""

    @listing(
        "list_guidelines", "guidelines:read", GuidelineBody, tag="Guidelines",
        order=("guideline_id",),
    )  # fmt: skip
    def get(self, request: Request) -> "QuerySet[GuidelineVersion]":
        """List the guidelines that hold now."""
        return _in_force()


class OneGuideline(Endpoint):
    """``/guidelines/{id}``."""

    @operation("read_guideline", "guidelines:read", GuidelineBody, tag="Guidelines", finds=True)
    def get(self, request: Request, pk: int) -> GuidelineVersion:
        """Read a guideline as it holds now."""
        return get_object_or_404(_in_force(), guideline=pk)


def _in_force() -> "QuerySet[GuidelineVersion]":
    holding = GuidelineVersion.objects.in_force(timezone.now()).values("pk")
    return GuidelineVersion.objects.filter(pk__in=holding).select_related("guideline")


class ItemBody(serializers.Serializer[Any]):
    """A topic in an issue: as it was when it went out, and as it is now."""

    topic = serializers.IntegerField(source="topic_id")
    title = serializers.CharField(source="topic.title")
    line_then = serializers.ChoiceField(_LINES, source="line")
    rule_then = serializers.CharField(source="rule")
    light_now = serializers.ChoiceField(_LIGHTS, source="topic.light")
    note = serializers.CharField()


class BriefingBody(serializers.Serializer[Briefing]):
    """The issue of a day. Who read it stands nowhere here."""

    day = serializers.DateField()
    note = serializers.CharField()
    published_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField(allow_null=True)
    change_note = serializers.CharField()
    items = ItemBody(many=True, source="briefingitem_set")


class Briefings(Endpoint):
    """``/briefings``."""

    @listing(
        "list_briefings", "briefings:read", BriefingBody, tag="Briefings", order=("-day",),
        since=day("Of this day and later."),
    )  # fmt: skip
    def get(self, request: Request, since: dt.date | None = None) -> "QuerySet[Briefing]":
        """List issues that are out, the newest first."""
        rows = self.out(request)
        return rows.filter(day__gte=since) if since else rows

    def out(self, request: Request) -> "QuerySet[Briefing]":
        """Those that the token's person may read on their day."""
        now = timezone.now()
        today = self.person(request).local(now).date() if self.mine(request) else None
        rows = Briefing.objects.out().filter(day__lte=today or Programme.the().today(now))
        return rows.prefetch_related("briefingitem_set__topic")


class OneBriefing(Briefings):
    """``/briefings/{day}``."""

    @operation("read_briefing", "briefings:read", BriefingBody, tag="Briefings", finds=True)
    def get(self, request: Request, day: dt.date) -> Briefing:  # type: ignore[override]
        """Read the issue of a day."""
        return get_object_or_404(self.out(request), day=day)


class CampaignBody(serializers.Serializer[Campaign]):
    """A hashtag for a while."""

    id = serializers.IntegerField(source="pk")
    slug = serializers.CharField()
    title = serializers.CharField()
    hashtag = serializers.CharField()
    description = serializers.CharField()
    language = serializers.CharField()
    begins_on = serializers.DateField()
    ends_on = serializers.DateField()


class Campaigns(Endpoint):
    """``/campaigns``."""

    @listing(
        "list_campaigns", "campaigns:read", CampaignBody, tag="Campaigns", order=("pk",),
        running=word("`yes` for those that run today.", ["yes"]),
    )  # fmt: skip
    def get(self, request: Request, running: str = "") -> "QuerySet[Campaign]":
        """List campaigns."""
        today = Programme.the().today(timezone.now())
        rows = Campaign.objects.all()
        return rows.filter(begins_on__lte=today, ends_on__gte=today) if running else rows


class OneCampaign(Endpoint):
    """``/campaigns/{id}``."""

    @operation("read_campaign", "campaigns:read", CampaignBody, tag="Campaigns", finds=True)
    def get(self, request: Request, pk: int) -> Campaign:
        """Read a campaign."""
        return get_object_or_404(Campaign, pk=pk)


class IdeaBody(serializers.Serializer[Proposal]):
    """An idea of yours and what the curators answered."""

    id = serializers.IntegerField(source="pk")
    text = serializers.CharField()
    state = serializers.ChoiceField(Proposal.State.values)
    show_name = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    answer = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)


class NewIdea(Body):
    """An idea. With ``show_name`` a suggestion made of it says whose it was."""

    text = Text(proposals.LONGEST, least=1)
    show_name = YesNo(required=False)


class Ideas(Endpoint):
    """``/ideas``."""

    @listing("list_ideas", "ideas:write", IdeaBody, tag="Ideas", order=("-pk",))
    def get(self, request: Request) -> "QuerySet[Proposal]":
        """List your own ideas, the newest first."""
        return Proposal.objects.filter(person=self.person(request))

    @operation(
        "create_idea", "ideas:write", IdeaBody, tag="Ideas", takes=NewIdea, status=201, writes=True
    )
    def post(self, request: Request, taken: dict[str, Any]) -> tuple[Proposal, dict[str, str]]:
        """Hand in an idea. The curators answer every one."""
        try:
            made = proposals.hand_in(
                by=self.person(request), text=taken["text"], picture=None,
                show_name=taken.get("show_name", False), submission=uuid.uuid4(),
                now=timezone.now(),
            )  # fmt: skip
        except proposals.NotTaken as refused:
            raise Problem(422, "refused", wrong=[(refused.field, refused.sentence)]) from refused
        return made, {"Location": f"/api/v1/ideas/{made.pk}"}


class OneIdea(Endpoint):
    """``/ideas/{id}``."""

    @operation("read_idea", "ideas:write", IdeaBody, tag="Ideas", finds=True)
    def get(self, request: Request, pk: int) -> Proposal:
        """Read an idea of yours."""
        found = Proposal.objects.filter(person=self.person(request), pk=pk).first()
        if found is None:
            raise Http404
        return found
