"""Topics with their lights, and the situation of the day. A program may stop; people let go on."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from campaigns import briefings, holds, lights, wording
from campaigns.lights import LightRefused
from campaigns.models import Programme, Suggestion, Topic

from .asking import word
from .endpoint import Endpoint, listing, operation
from .fields import Body, Text, Word
from .problems import Problem

_LONGEST_REASON, _LONGEST_PROPOSAL = 1_000, 3_000
_LIGHTS = ("share", "careful", "hold")
_LINES = ("share", "careful", "own", "hold")
_TAG = "Topics"


class Fact(serializers.Serializer[Any]):
    """A fact with where it comes from."""

    fact = serializers.CharField(default="")
    source = serializers.CharField(default="")  # type: ignore[assignment]


class Pair(serializers.Serializer[Any]):
    """Words to use instead of others."""

    say = serializers.CharField(default="")
    instead_of = serializers.CharField(default="")


class Link(serializers.Serializer[Any]):
    """A page worth reading."""

    title = serializers.CharField(default="")
    url = serializers.CharField(default="")


class TopicBody(serializers.Serializer[Topic]):
    """What one may talk about now."""

    id = serializers.IntegerField(source="pk")
    slug = serializers.CharField()
    title = serializers.CharField()
    language = serializers.CharField()
    light = serializers.ChoiceField(_LIGHTS, help_text="A hold outweighs the stored light.")
    line = serializers.ChoiceField(
        _LINES, help_text="The light, or `own` while there is no official line."
    )
    light_since = serializers.DateTimeField(source="light_now_since")
    hold_reason = serializers.CharField(source="held_reason")
    rule = serializers.CharField()
    say = serializers.CharField()
    leave_out = serializers.ListField(child=serializers.CharField())
    if_asked = serializers.CharField()
    facts = Fact(many=True)
    glossary = Pair(many=True)
    links = Link(many=True)


class LightBody(Body):
    """A light, and why it changes. Everybody reads the reason."""

    light = Word(["share", "careful", "own"])
    why = Text(lights.LONGEST_WHY, least=1)


class HoldBody(Body):
    """Why it stops, and perhaps a text for people who have posted already."""

    reason = Text(_LONGEST_REASON, least=1)
    proposal = Text(_LONGEST_PROPOSAL, required=False)


class Held(serializers.Serializer[Any]):
    """Nothing of it begins from now on. People end a hold, on its page."""

    scope = serializers.ChoiceField(["programme", "topic", "suggestion"])
    reason = serializers.CharField()
    held_at = serializers.DateTimeField()
    report = serializers.CharField(help_text="The path of the page that tells what it did.")


class LineBody(serializers.Serializer[Any]):
    """A topic's place in the day."""

    topic = serializers.IntegerField(source="topic_id")
    title = serializers.CharField(source="topic.title")
    light = serializers.ChoiceField(_LIGHTS, source="topic.light")
    line = serializers.ChoiceField(_LINES, source="topic.line")
    note = serializers.CharField()


class SituationBody(serializers.Serializer[Any]):
    """What holds today. ``version`` differs when something of it differs."""

    version = serializers.CharField()
    everything_held = serializers.BooleanField()
    hold_reason = serializers.CharField()
    briefing = serializers.DateField(allow_null=True, help_text="The day of the latest issue.")
    lines = LineBody(many=True)


class Situation(Endpoint):
    """``/situation``."""

    @operation("read_situation", "topics:read", SituationBody, tag=_TAG)
    def get(self, request: Request) -> dict[str, Any]:
        """Read what holds today: the day's topics with their lights, holds first."""
        programme, now = Programme.the(), timezone.now()
        day = self.person(request).local(now).date() if self.mine(request) else None
        day = day or programme.today(now)
        briefing, lines = briefings.of_day(day)
        return {
            "version": lights.version(day),
            "everything_held": programme.is_held,
            "hold_reason": programme.held_reason,
            "briefing": briefing.day if briefing else None,
            "lines": lines,
        }


class Topics(Endpoint):
    """``/topics``."""

    @listing(
        "list_topics", "topics:read", TopicBody, tag=_TAG, order=("pk",),
        archived=word("`yes` for those in the archive.", ["yes", "no"]),
    )  # fmt: skip
    def get(self, request: Request, archived: str = "no") -> "QuerySet[Topic]":
        """List topics with their lights."""
        return Topic.objects.filter(archived_at__isnull=archived == "no")


def _tag(topic: Topic) -> dict[str, str]:
    return {"ETag": f'"{topic.revision}.{lights.latest(topic)}"'}


class OneTopic(Endpoint):
    """``/topics/{id}``."""

    @operation("read_topic", "topics:read", TopicBody, tag=_TAG, finds=True, tagged=True)
    def get(self, request: Request, pk: int) -> tuple[Topic, dict[str, str]]:
        """Read a topic."""
        topic = get_object_or_404(Topic, pk=pk)
        return topic, _tag(topic)


class Light(Endpoint):
    """``/topics/{id}/light``."""

    @operation(
        "change_light", "lights:write", TopicBody, tag=_TAG, takes=LightBody, finds=True,
        tagged=True, guarded=True, writes=True,
    )  # fmt: skip
    def put(
        self, request: Request, pk: int, taken: dict[str, Any], seen: str
    ) -> tuple[Topic, dict[str, str]]:
        """Set a topic's light to `share`, `careful` or `own`, with a reason.

        A hold is not a light: it has an address of its own, and only people end it.
        """
        topic = get_object_or_404(Topic.objects.current(), pk=pk)
        if _tag(topic)["ETag"] != seen:
            raise Problem(412, "changed")
        if topic.is_held:
            raise Problem(409, "state", "The topic is on hold. A person releases it, on its page.")
        why = wording.clean(taken["why"])
        if wording.is_blank(why):
            raise Problem(422, "refused", wrong=[("why", "Say in one sentence why.")])
        try:
            lights.change(
                topic=topic, to=taken["light"], seen=topic.line, why=why,
                by=self.person(request), now=timezone.now(),
            )  # fmt: skip
        except LightRefused as refused:
            raise Problem(409, "state", str(refused)) from refused
        return topic, _tag(topic)


def _hold(
    endpoint: Endpoint, request: Request, scope: holds.Scope, taken: dict[str, Any]
) -> dict[str, Any]:
    """Stop it; the answer comes when nothing of it can begin any more."""
    reason, proposal = (wording.clean(taken.get(name, "")) for name in ("reason", "proposal"))
    if wording.is_blank(reason):
        raise Problem(422, "refused", wrong=[("reason", "Say what everybody should know.")])
    held = holds.hold(
        scope=scope, by=endpoint.person(request), reason=reason, proposal=proposal,
        now=timezone.now(),
    )  # fmt: skip
    return {
        "scope": holds.kind(scope),
        "reason": scope.held_reason,
        "held_at": scope.held_at,
        "report": reverse("hold_report", args=[held.record]),
    }


class HoldTopic(Endpoint):
    """``/topics/{id}/hold``."""

    @operation(
        "hold_topic", "holds:write", Held, tag=_TAG, takes=HoldBody, finds=True, status=201,
        writes=True, once=False,
    )  # fmt: skip
    def post(self, request: Request, pk: int, taken: dict[str, Any]) -> Any:
        """Put a topic on hold. After the answer nothing of it leaves."""
        return _hold(self, request, get_object_or_404(Topic, pk=pk), taken)


class HoldSuggestion(Endpoint):
    """``/suggestions/{id}/hold``."""

    @operation(
        "hold_suggestion", "holds:write", Held, tag="Suggestions", takes=HoldBody, finds=True,
        status=201, writes=True, once=False,
    )  # fmt: skip
    def post(self, request: Request, pk: int, taken: dict[str, Any]) -> Any:
        """Put one suggestion on hold. After the answer nothing of it leaves."""
        return _hold(self, request, get_object_or_404(Suggestion, pk=pk), taken)


class HoldProgramme(Endpoint):
    """``/hold``."""

    @operation(
        "hold_everything", "holds:write", Held, tag=_TAG, takes=HoldBody, status=201, writes=True,
        once=False,
    )  # fmt: skip
    def post(self, request: Request, taken: dict[str, Any]) -> Any:
        """Put everything on hold. After the answer nothing leaves."""
        return _hold(self, request, Programme.the(), taken)
