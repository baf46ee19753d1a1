"""Rows of the floor that knows what and when."""

from .activity import Activity, ActivityAnswer
from .approval import Approval
from .briefing import Briefing, BriefingItem, BriefingRead
from .campaign import Campaign
from .delivery import Attempt, Delivery, Reading, Spread, SpreadMove, TimeOffer, Transition
from .edition import Edition
from .evidence import Evidence
from .feedback import Feedback
from .hinting import Hinting
from .hold import HoldAnswer, HoldRecord
from .link import ClickBucket, ClickDay, ShortLink
from .own_draft import OwnDraft
from .picture import Document, Picture, PictureFace
from .post import FormerText, Post
from .programme import DisclosureRule, DisclosureTable, Programme
from .proposal import Proposal
from .reach import Reached, ReachWish, RoomMessage, Way
from .suggestion import Suggestion, Variant
from .takeover import Takeover
from .topic import LightChange, Line, Topic
from .version import Version

__all__ = [
    "Activity",
    "ActivityAnswer",
    "Approval",
    "Attempt",
    "Briefing",
    "BriefingItem",
    "BriefingRead",
    "Campaign",
    "ClickBucket",
    "ClickDay",
    "Delivery",
    "DisclosureRule",
    "DisclosureTable",
    "Document",
    "Edition",
    "Evidence",
    "Feedback",
    "FormerText",
    "Hinting",
    "HoldAnswer",
    "HoldRecord",
    "LightChange",
    "Line",
    "OwnDraft",
    "Picture",
    "PictureFace",
    "Post",
    "Programme",
    "Proposal",
    "ReachWish",
    "Reached",
    "Reading",
    "RoomMessage",
    "ShortLink",
    "Spread",
    "SpreadMove",
    "Suggestion",
    "Takeover",
    "TimeOffer",
    "Topic",
    "Transition",
    "Variant",
    "Version",
    "Way",
]
