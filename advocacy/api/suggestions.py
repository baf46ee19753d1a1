"""Suggestions as those read them for whom they are meant: out, held by nothing."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from campaigns.models import Programme, Suggestion, Variant
from campaigns.models.programme import ContentClass

from .asking import key, word
from .endpoint import Endpoint, listing, operation

_TAG = "Suggestions"


class WordingBody(serializers.Serializer[Variant]):
    """One wording. ``[…]`` is a gap that only the person can fill."""

    name = serializers.CharField()
    language = serializers.CharField()
    network = serializers.CharField(help_text="Empty: for every network.")
    text = serializers.CharField()


class SuggestionBody(serializers.Serializer[Suggestion]):
    """What one may put into their own words now."""

    id = serializers.IntegerField(source="pk")
    topic = serializers.IntegerField(source="topic_id")
    campaign = serializers.IntegerField(source="campaign_id", allow_null=True)
    title = serializers.CharField()
    why = serializers.CharField()
    language = serializers.CharField()
    content_class = serializers.ChoiceField(ContentClass.values)
    tone = serializers.ChoiceField(Suggestion.Tone.values)
    link_url = serializers.CharField()
    content_warning = serializers.CharField()
    prompts = serializers.ListField(child=serializers.CharField())
    facts = serializers.ListField(child=serializers.CharField())
    leave_out = serializers.ListField(child=serializers.CharField())
    approved_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    wordings = WordingBody(many=True, source="variant_set")


def _out(endpoint: Endpoint, request: Request) -> "QuerySet[Suggestion]":
    """What is out for the token's person; for an installation, what is meant for everybody.

    While everything is on hold nothing is.
    """
    rows = Suggestion.objects.live(timezone.now()).worded().prefetch_related("variant_set")
    if Programme.the().is_held:
        return rows.none()
    if endpoint.mine(request):
        return rows.visible_to(endpoint.person(request))
    return rows.for_everybody()


class Suggestions(Endpoint):
    """``/suggestions``."""

    @listing(
        "list_suggestions", "suggestions:read", SuggestionBody, tag=_TAG,
        order=("-approved_at", "-pk"), topic=key("Of this topic."),
        language=word("In this language.", ["de", "en"]),
    )  # fmt: skip
    def get(self, request: Request, **asked: Any) -> "QuerySet[Suggestion]":
        """List the suggestions that are out, the newest first."""
        return _out(self, request).filter(**asked)


class OneSuggestion(Endpoint):
    """``/suggestions/{id}``."""

    @operation("read_suggestion", "suggestions:read", SuggestionBody, tag=_TAG, finds=True)
    def get(self, request: Request, pk: int) -> Suggestion:
        """Read one that is out."""
        return get_object_or_404(_out(self, request), pk=pk)
