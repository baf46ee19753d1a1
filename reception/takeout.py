"""What a person may take along of this room (:mod:`ambassadors.takeout`)."""

from django.utils.translation import gettext_noop

from ambassadors.takeout import DELETED, NAMELESS, Table, Untold

from .models import (
    CardPhoto,
    ContactCard,
    InquiryMessage,
    Offer,
    Speaker,
    SpeakerPhoto,
    Talk,
    TalkMail,
    TalkRequest,
    Widget,
)

_THE_ASKERS = "the question is its asker's own; who answered takes their answers along"
TABLES = (
    Table(ContactCard, "person", gettext_noop("Contact card"), DELETED),
    Table(
        CardPhoto, "card__person", gettext_noop("Photo of your contact card"), DELETED,
        left_out=("small",), files=("large",),
    ),
    Table(Speaker, "person", gettext_noop("Speaker profile"), DELETED),
    Table(
        SpeakerPhoto, "speaker__person", gettext_noop("Photo of your speaker profile"), DELETED,
        left_out=("sha256",), files=("content",),
    ),
    Table(Talk, "speaker__person", gettext_noop("Your talks"), DELETED),
    Table(Offer, "speaker__person", gettext_noop("Talks you were asked for"), DELETED),
    Table(
        TalkRequest, "asked_by", gettext_noop("Speakers you asked for"), DELETED,
        left_out=("token",),
    ),
    Table(
        TalkRequest, "speaker__person", gettext_noop("Talks you are booked for"), NAMELESS,
        left_out=("token", "asker_name", "asker_email"),
        words=("travel_note", "tech_note", "deck_url"),
    ),
    Table(TalkMail, "person", gettext_noop("Mails to you about talks"), DELETED),
    Table(
        InquiryMessage, "author", gettext_noop("Answers you gave strangers"), NAMELESS,
        left_out=("message_id", "dropped", "was_cut", "other_sender"), words=("text",),
    ),
    Table(Widget, "made_by", gettext_noop("Widgets you made"), NAMELESS),
)  # fmt: skip
UNTOLD = {
    "reception.Inquiry.owner": Untold(_THE_ASKERS, NAMELESS),
    "reception.Inquiry.chosen": Untold(_THE_ASKERS, NAMELESS),
    "reception.InquiryMail.person": Untold("a mail you have received already", DELETED),
    "reception.TalkRequest.coordinator": Untold(
        "the request is its asker’s; that you took it over stands in your record", NAMELESS
    ),
}
