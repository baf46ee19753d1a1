"""Rows of the floor that knows what and when."""

from .briefing import Briefing, BriefingItem, BriefingMail, BriefingMailWish, BriefingRead
from .delivery import Attempt, Delivery, Reading, TimeOffer, Transition
from .hold import HoldAnswer, HoldRecord
from .picture import Document, Picture, PictureFace
from .post import FormerText, Post, ShortLink
from .programme import DisclosureRule, Programme
from .suggestion import Suggestion, Variant
from .topic import LightChange, Line, Topic
from .version import Version

__all__ = [
    "Attempt",
    "Briefing",
    "BriefingItem",
    "BriefingMail",
    "BriefingMailWish",
    "BriefingRead",
    "Delivery",
    "DisclosureRule",
    "Document",
    "FormerText",
    "HoldAnswer",
    "HoldRecord",
    "LightChange",
    "Line",
    "Picture",
    "PictureFace",
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
