"""Tracked links: making one for a post, and where it leads at a moment."""

import datetime as dt
import enum
import re
import secrets
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from ambassadors import audit
from ambassadors.models import Person

from .models import Post, ShortLink, Suggestion

# Without the letters and digits that people take for each other when they copy from paper.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CODE_LENGTH = 8  # 46 bits, drawn by the operating system: nothing follows from another code
# Codes of earlier versions have other letters.
_CODE = re.compile(r"[0-9A-Za-z_-]{1,12}")
# What people and programs that look for links leave behind a code.
_BEHIND = ".,;:!?)]}>'\"»«“”’…*~|äöüß"
_LONGEST = 1000  # characters of an address with tags; some servers take no more
# By hand: to put these words together takes the ORM longer than PostgreSQL needs to answer.
_FIND = """
SELECT link.id, link.target, link.tags, link.withdrawn_at, suggestion.state, suggestion.expires_at
FROM campaigns_shortlink link
LEFT JOIN campaigns_post post ON post.link_id = link.id
LEFT JOIN campaigns_suggestion suggestion ON suggestion.id = post.suggestion_id
WHERE link.code = %s
"""


class Answer(enum.Enum):
    """What a link says."""

    LEADS = "leads"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Found:
    """A link at a moment."""

    pk: int
    target: str
    answer: Answer


def make(*, suggestion: Suggestion, network: str) -> ShortLink | None:
    """Make the link of one post, to where the suggestion leads now; None if it leads nowhere.

    Its code and its target tell the outside nothing about the person: every post has its own.
    """
    if not suggestion.link_url.startswith(("https://", "http://")):
        return None
    code = _new_code()
    while ShortLink.objects.filter(code=code).exists():
        code = _new_code()
    return ShortLink.objects.create(
        code=code, target=suggestion.link_url, tags=tags(suggestion, network)
    )


def _new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def tags(suggestion: Suggestion, network: str) -> str:
    """What tells the company's own web figures where visitors came from; nothing of the person.

    Empty where LINK_TAGS is off, where the address has such tags already, and where it would
    become too long.
    """
    target = suggestion.link_url
    asked = {name for name, _value in parse_qsl(urlsplit(target).query, keep_blank_values=True)}
    if not settings.LINK_TAGS or any(name.startswith("utm_") for name in asked):
        return ""
    about = suggestion.campaign.slug if suggestion.campaign else suggestion.topic.slug
    found = urlencode({"utm_source": network, "utm_medium": "social", "utm_campaign": about})
    return found if len(target) + len(found) < _LONGEST else ""


@transaction.atomic
def withdraw(*, post: Post, by: Person, now: dt.datetime) -> bool:
    """Let the link of a person's own post lead nowhere any more; False when it did so already."""
    rows = ShortLink.objects.filter(post=post, withdrawn_at__isnull=True)
    if not rows.update(withdrawn_at=now):
        return False
    audit.record("link.withdrawn", post, by=by, now=now)
    return True


def tagged(target: str, query: str) -> str:
    """An address with more in its query; a fragment stays at its end."""
    if not query:
        return target
    address, hash_, fragment = target.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{query}{hash_}{fragment}"


def find(code: str, *, now: dt.datetime) -> Found | None:
    """Look a code up, in one SELECT; None where there is no such link.

    A link ends with the suggestion it was made for, and is withdrawn with it.
    """
    code = code.rstrip(_BEHIND)
    if not _CODE.fullmatch(code):
        return None
    # Whether the connection lives shows by asking: a question less for every click.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        row = _row(code)
    except (InterfaceError, OperationalError):
        if connection.in_atomic_block:
            raise
        connection.close()
        row = _row(code)
    if row is None:
        return None
    pk, target, query, withdrawn_at, state, expires_at = row
    answer = Answer.LEADS
    if withdrawn_at or state == Suggestion.State.WITHDRAWN:
        answer = Answer.WITHDRAWN
    elif expires_at and expires_at <= now:
        answer = Answer.ENDED
    return Found(pk, tagged(target, query), answer)


def _row(code: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [code])
        return cast("tuple[Any, ...] | None", cursor.fetchone())
