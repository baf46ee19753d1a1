"""Rows of the floor that knows what and when."""

from .delivery import Attempt, Delivery, Reading, TimeOffer, Transition
from .hold import HoldAnswer, HoldRecord
from .post import FormerText, Post, ShortLink
from .programme import DisclosureRule, Programme
from .suggestion import Document, Picture, Suggestion, Variant
from .topic import Briefing, BriefingItem, Topic
from .version import Version

__all__ = [
    "Attempt",
    "Briefing",
    "BriefingItem",
    "Delivery",
    "DisclosureRule",
    "Document",
    "FormerText",
    "HoldAnswer",
    "HoldRecord",
    "Picture",
    "Post",
    "Programme",
    "Reading",
    "ShortLink",
    "Suggestion",
    "TimeOffer",
    "Topic",
    "Transition",
    "Variant",
    "Version",
]
