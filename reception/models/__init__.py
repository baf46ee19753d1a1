"""Rows of the reception."""

from .card import OBJECTS, CardPhoto, ContactCard, JobArea
from .inquiry import Inquiry, InquiryMail, InquiryMessage
from .speaker import Format, Speaker, SpeakerPhoto, Talk, Visibility
from .talk_request import Offer, TalkMail, TalkRequest, TalkStep
from .widget import USUAL_DAYS, MonthFigure, Promise, Widget

__all__ = [
    "OBJECTS",
    "USUAL_DAYS",
    "CardPhoto",
    "ContactCard",
    "Format",
    "Inquiry",
    "InquiryMail",
    "InquiryMessage",
    "JobArea",
    "MonthFigure",
    "Offer",
    "Promise",
    "Speaker",
    "SpeakerPhoto",
    "Talk",
    "TalkMail",
    "TalkRequest",
    "TalkStep",
    "Visibility",
    "Widget",
]
