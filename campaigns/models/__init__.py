"""Rows of the floor that knows what and when."""

from .delivery import Attempt, Delivery, Reading, Transition
from .post import Post, ShortLink
from .programme import DisclosureRule, Programme
from .suggestion import Picture, Suggestion, Variant
from .topic import Briefing, BriefingItem, Topic

__all__ = [
    "Attempt",
    "Briefing",
    "BriefingItem",
    "Delivery",
    "DisclosureRule",
    "Picture",
    "Post",
    "Programme",
    "Reading",
    "ShortLink",
    "Suggestion",
    "Topic",
    "Transition",
    "Variant",
]
