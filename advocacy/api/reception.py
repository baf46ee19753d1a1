"""What strangers may see, and how questions were answered: by team and closed month only."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from rest_framework import serializers
from rest_framework.request import Request

from ambassadors.memberships import day_of
from reception import cards
from reception.models import ContactCard, MonthFigure

from .asking import key
from .endpoint import Endpoint, listing, operation


class CardBody(serializers.Serializer[ContactCard]):
    """A contact card exactly as its public page shows it; gone when the person takes it back."""

    key = serializers.CharField()
    name = serializers.CharField()
    sentence = serializers.CharField()
    sentence_language = serializers.CharField()
    job = serializers.CharField()
    places = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    hours = serializers.CharField()
    extension = serializers.CharField()
    rests = serializers.BooleanField(help_text="Takes no new questions at present.")

    def to_representation(self, instance: ContactCard) -> dict[str, Any]:
        """Tell what :func:`reception.cards.shown` tells, in the language of the request."""
        told = cards.shown(instance, (translation.get_language() or "de")[:2])
        same = set(self.fields) - {"languages"}
        return {name: getattr(told, name) for name in same} | {"languages": told.tongues}


def _public() -> "QuerySet[ContactCard]":
    return cards.public(day_of(timezone.now()))


class ContactCards(Endpoint):
    """``/contact-cards``."""

    @listing("list_contact_cards", "cards:read", CardBody, tag="Contact cards", order=("pk",))
    def get(self, request: Request) -> "QuerySet[ContactCard]":
        """List the contacts whom strangers may ask."""
        return _public()


class OneContactCard(Endpoint):
    """``/contact-cards/{key}``."""

    @operation("read_contact_card", "cards:read", CardBody, tag="Contact cards", finds=True)
    def get(self, request: Request, key: str) -> ContactCard:
        """Read a card."""
        return get_object_or_404(_public(), key=key)


class MonthBody(serializers.Serializer[MonthFigure]):
    """A team's whole month, told only where at least five answered and five asked."""

    id = serializers.IntegerField(source="pk")
    team = serializers.IntegerField(source="team_id")
    month = serializers.DateField(help_text="Its first day.")
    answered = serializers.IntegerField()
    in_time = serializers.IntegerField(help_text="Per cent within the promise.")
    hours = serializers.IntegerField(help_text="Median until the first answer.")
    rated = serializers.IntegerField(allow_null=True, help_text="Null below five.")
    helped = serializers.IntegerField(allow_null=True, help_text="Per cent; null below five.")


class InquiryMonths(Endpoint):
    """``/inquiry-months``."""

    @listing(
        "list_inquiry_months", "inquiries:read", MonthBody, tag="Inquiries", order=("-pk",),
        team=key("Of this team."),
    )  # fmt: skip
    def get(self, request: Request, team: int = 0) -> "QuerySet[MonthFigure]":
        """List closed months of contact teams. No question is ever told."""
        rows = MonthFigure.objects.all()
        return rows.filter(team=team) if team else rows
