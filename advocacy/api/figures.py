"""Figures of closed months, as the page of the figures tells them: for groups, for good.

Nothing is counted here. There is no filter and no running month, so no two answers can be
subtracted (docs/analytics.md).
"""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request

from campaigns import months
from campaigns.months import Month

from .endpoint import Endpoint, operation

_TAG = "Figures"


class CellBody(serializers.Serializer[Any]):
    """A group. People and posts are steps: at least so many. Null: not told."""

    key = serializers.CharField(help_text="A network, a topic's number, a band of own words.")
    people = serializers.IntegerField()
    posts = serializers.IntegerField(allow_null=True)
    own = serializers.IntegerField(help_text="Per cent of the words that are people's own.")
    talk = serializers.FloatField(allow_null=True, help_text="Conversations to a post. Measured.")
    clicks = serializers.FloatField(allow_null=True, help_text="Clicks to a share. Estimated.")


class FigureBody(serializers.Serializer[Month]):
    """A closed month."""

    month = serializers.SerializerMethodField(help_text="As 2026-10.")
    whole = CellBody()
    words = CellBody(many=True)
    networks = CellBody(many=True)
    topics = CellBody(many=True)
    talks = serializers.IntegerField(allow_null=True, help_text="A step. Measured.")
    clicks = serializers.IntegerField(allow_null=True, help_text="A step. Estimated.")
    alike = serializers.IntegerField(
        allow_null=True, help_text="Per cent of pairs in nearly the same words."
    )

    def get_month(self, month: Month) -> str:
        """Its name."""
        return f"{month.first:%Y-%m}"


class FiguresBody(serializers.Serializer[Any]):
    """All of them."""

    items = FigureBody(many=True)


class Figures(Endpoint):
    """``/figures``."""

    @operation("list_figures", "figures:read", FiguresBody, tag=_TAG)
    def get(self, request: Request) -> dict[str, list[Month]]:
        """List the closed months in which something may be told, the newest first."""
        return {"items": months.closed()}


class OneFigure(Endpoint):
    """``/figures/{month}``."""

    @operation("read_figure", "figures:read", FigureBody, tag=_TAG, finds=True)
    def get(self, request: Request, month: str) -> Month:
        """Read a closed month."""
        for found in months.closed():
            if f"{found.first:%Y-%m}" == month:
                return found
        raise Http404
