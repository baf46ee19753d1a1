"""Rows of the reception."""

from .card import OBJECTS, CardPhoto, ContactCard, JobArea
from .speaker import Format, Speaker, SpeakerPhoto, Talk, Visibility
from .talk_request import Offer, TalkMail, TalkRequest, TalkStep

__all__ = [
    "OBJECTS",
    "CardPhoto",
    "ContactCard",
    "Format",
    "JobArea",
    "Offer",
    "Speaker",
    "SpeakerPhoto",
    "Talk",
    "TalkMail",
    "TalkRequest",
    "TalkStep",
    "Visibility",
]
