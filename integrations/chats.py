"""The rooms of the company's chat: an administrator adds and removes them; secrets are sealed."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person

from . import sealing, slack, teams
from .addresses import AddressRefused, parse
from .models import ChatRoom
from .networks.base import Later, Refused, Result, Sent, Unknown

TRIED_AGAIN = dt.timedelta(minutes=1)
TRIED_AFTER_TROUBLE = dt.timedelta(minutes=15)


class ChatRefused(Exception):
    """The room was not added; ``field`` says where the sentence belongs."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Typed:
    """What an administrator typed; ``secret`` is the token, or the workflow's address."""

    service: str
    name: str
    secret: str = field(repr=False)
    room: str = ""
    language: str = "de"
    direct: bool = False


def add(*, by: Person, typed: Typed, hello: Any, now: dt.datetime) -> ChatRoom:
    """Keep a room after it took a greeting (``hello``, in its own form), so that we know it works.

    Raises :class:`ChatRefused` beside a field; then nothing is kept.
    """
    _check(typed)
    row = ChatRoom(
        service=typed.service,
        name=typed.name,
        room=typed.room,
        language=typed.language,
        direct=typed.direct,
        added_by=by,
        added_at=now,
    )
    row.sealed, row.key_id = sealing.seal({"secret": typed.secret}, context=_context(row))
    if row.service == ChatRoom.Service.SLACK:
        _must_work(slack.whose(typed.secret, now=now), "secret")
    if row.room or row.service == ChatRoom.Service.TEAMS:
        _must_work(post(row, hello, now=now), "room" if row.room else "secret")
    with transaction.atomic():
        if row.direct:
            ChatRoom.objects.filter(direct=True).update(direct=False)
        row.save()
        audit.record("chat.added", row, by=by, now=now, service=row.service, direct=row.direct)
    return row


def _check(typed: Typed) -> None:
    if not typed.name:
        raise ChatRefused("name", _("Give it a name, so that others know which room it is."))
    if typed.service == ChatRoom.Service.TEAMS:
        try:
            parse(typed.secret)
        except AddressRefused as error:
            sentence = _("Paste the address that the workflow shows; it begins with https://.")
            raise ChatRefused("secret", sentence) from error
        return
    if not re.fullmatch(r"xox[be][.\w-]{10,300}", typed.secret, re.ASCII):
        raise ChatRefused("secret", _("A bot token of Slack begins with xoxb-."))
    if not typed.room and not typed.direct:
        raise ChatRefused("room", _("Name a channel, or allow direct messages, or both."))
    if typed.room and not re.fullmatch(r"[CG][A-Z0-9]{6,30}", typed.room, re.ASCII):
        sentence = _(
            "Write the channel’s id. It begins with C and stands at the end of its details."
        )
        raise ChatRefused("room", sentence)


def _must_work(result: Result, field_: str) -> None:
    match result:
        case Sent():
            return
        case Refused(why=why):
            sentence = _("The service refused: %(why)s") % {"why": why}
        case Later():
            sentence = _("The service cannot be reached, or asks us to wait. Try again later.")
        case Unknown():
            sentence = _("The service gave no clear answer. Look there before you try again.")
    raise ChatRefused(field_, sentence)


@transaction.atomic
def remove(*, room: ChatRoom, by: Person, now: dt.datetime) -> None:
    """Forget a room and its secret. What was written there stays there."""
    audit.record("chat.removed", room, by=by, now=now, service=room.service)
    room.delete()


def _context(row: ChatRoom) -> dict[str, str]:
    return {"provider": row.service, "account_id": str(row.key), "kind": "chat"}


def secret(row: ChatRoom) -> str:
    """The room's token or address. Raises :class:`integrations.sealing.SealBroken`."""
    return sealing.unseal(row.sealed, context=_context(row))["secret"]


def post(row: ChatRoom, message: Any, *, now: dt.datetime, to: str = "") -> Result:
    """Write to the room, or with ``to`` to one person in Slack."""
    try:
        key = secret(row)
    except sealing.SealBroken as error:
        return Refused(str(error), permanent=False, whose="app")
    if row.service == ChatRoom.Service.TEAMS:
        return teams.post(key, message, now=now)
    return slack.post(key, to or row.room, message, now=now)


def change(row: ChatRoom, written: str, message: Any, *, now: dt.datetime) -> Result:
    """Replace a message of ours in a Slack channel."""
    try:
        return slack.change(secret(row), row.room, written, message, now=now)
    except sealing.SealBroken as error:
        return Refused(str(error), permanent=False, whose="app")


def note(row: ChatRoom, result: Result, now: dt.datetime) -> None:
    """Remember what an answer says of the room itself: to wait, trouble, or that all is well."""
    mine = ChatRoom.objects.filter(pk=row.pk)
    match result:
        case Sent():
            mine.exclude(trouble="").update(trouble="", trouble_at=None)
        case Later(wait=wait):
            mine.update(rests_until=now + (dt.timedelta(seconds=wait) if wait else TRIED_AGAIN))
        case Refused(why=why):
            mine.update(trouble=why[:300], trouble_at=now)
            if result.whose == "app":
                mine.update(rests_until=now + TRIED_AFTER_TROUBLE)
        case Unknown():
            pass


def direct() -> ChatRoom | None:
    """The Slack app that writes to people who ask for it; None when there is none."""
    return ChatRoom.objects.filter(direct=True).first()


class NotThere(Exception):
    """Slack cannot write to this person; the message says why in a sentence."""


def address_of(person: Person, *, now: dt.datetime) -> str:
    """Slack's id of a person, by their mail address. Raises :class:`NotThere`."""
    row = direct()
    if row is None:
        raise NotThere(_("The company has not connected Slack."))
    try:
        result = slack.find(secret(row), person.email, now=now)
    except sealing.SealBroken as error:
        raise NotThere(_("Slack cannot be asked at present. Try again later.")) from error
    if isinstance(result, Sent):
        return result.remote_id
    if slack.nobody(result):
        raise NotThere(
            _("Slack knows nobody with the address %(email)s.") % {"email": person.shown_email}
        )
    raise NotThere(_("Slack cannot be asked at present. Try again later."))
