"""Keys for programs: made once, shown once, never wider than what their person may do."""

import datetime as dt
import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

from django.db import models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ambassadors import audit, tidying
from ambassadors.models import Person

from .models import ApiToken

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
# Scanners for secrets find a lost key by its beginning, and tell by its last six letters (a
# checksum) that it is one.
PREFIX = "bot_"
_RANDOM, _CHECK = 36, 6  # letters; 36 of 62 are 214 bits
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")
LONGEST = dt.timedelta(days=365)
MOST = 20  # open keys of one person
_LONGEST_NAME = 80  # characters


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key may open: in words, for whom, and on which kinds of keys it can stand.

    ``roles``: the person needs one of them, now and at each request; empty means everybody.
    """

    words: Promise | str
    roles: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset(ApiToken.Kind.values)


_MINE = frozenset({ApiToken.Kind.PERSONAL.value})
_CURATOR, _HR = frozenset({"curator"}), frozenset({"hr"})
SCOPES: dict[str, Scope] = {
    "topics:read": Scope(_("Read topics, their lights and the situation")),
    "lights:write": Scope(_("Change the light of a topic"), _CURATOR),
    "holds:write": Scope(_("Put something on hold; letting it go on stays with people"), _CURATOR),
    "guidelines:read": Scope(_("Read guidelines")),
    "briefings:read": Scope(_("Read issues of the briefing")),
    "suggestions:read": Scope(_("Read suggestions that are out")),
    "drafts:write": Scope(_("Write drafts and hand them in for review"), _CURATOR, _MINE),
    "campaigns:read": Scope(_("Read campaigns")),
    "ideas:write": Scope(_("Hand in ideas of yours, and read the answers"), kinds=_MINE),
    "teams:read": Scope(_("Read teams")),
    "people:read": Scope(_("Read the roster, of those who said yes to it"), _HR),
    "training:read": Scope(_("Read dates of courses")),
    "cards:read": Scope(_("Read the contact cards that strangers may see")),
    "inquiries:read": Scope(_("Read how questions were answered, by team and month"), _HR),
    "figures:read": Scope(
        _("Read the figures of closed months"), frozenset({"curator", "hr", "lead", "auditor"})
    ),
    "posts:read": Scope(_("Read your own posts and short links"), kinds=_MINE),
}


class TokenRefused(Exception):
    """No key was made; ``field`` says where the sentence belongs."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


def offered(person: Person, kind: str) -> dict[str, Scope]:
    """The scopes that a person can give a new key of a kind."""
    return {
        name: scope for name, scope in SCOPES.items() if kind in scope.kinds and may(person, name)
    }


def may(person: Person, scope: str) -> bool:
    """Tell whether the person may do what the scope says, whatever a key carries."""
    roles = SCOPES[scope].roles
    return not roles or person.has_role(*roles)


@transaction.atomic
def make(
    *,
    person: Person,
    kind: str,
    name: str,
    scopes: list[str],
    lasts: dt.timedelta,
    now: dt.datetime,
) -> tuple[ApiToken, str]:
    """Make a key; returns its row and the key, which nobody can see again.

    It lasts a year at most. Raises :class:`TokenRefused`.
    """
    if not tidying.is_seen(name) or len(name) > _LONGEST_NAME:
        raise TokenRefused("name", str(_("Say what the key is for, in up to 80 characters.")))
    if kind == ApiToken.Kind.INSTALLATION and not person.has_role("administrator"):
        raise TokenRefused("kind", str(_("Only administrators make keys for the installation.")))
    chosen = sorted(set(scopes) & offered(person, kind).keys())
    if not chosen:
        raise TokenRefused("scopes", str(_("Choose what the key opens.")))
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)  # two at once: one by one
    if open_of(person, now=now).count() >= MOST:
        raise TokenRefused("name", str(_("You have many keys. End one first.")))
    key = _new_key()
    token = ApiToken.objects.create(
        person=person,
        kind=kind,
        name=name,
        digest=_digest(key),
        shown=key[: len(PREFIX) + 6],
        scopes=chosen,
        made_at=now,
        expires_at=now + min(lasts, LONGEST),
    )
    audit.record(
        "api.key_made", token, by=person, now=now, kind=kind, scopes=chosen,
        expires=token.expires_at.isoformat(),
    )  # fmt: skip
    return token, key


def open_of(person: Person, *, now: dt.datetime) -> "models.QuerySet[ApiToken]":
    """The person's keys that still open something."""
    return ApiToken.objects.filter(person=person, ended_at__isnull=True, expires_at__gt=now)


def of_installation(person: Person, *, now: dt.datetime) -> "models.QuerySet[ApiToken]":
    """Keys that programs of the company hold, and that end when the person leaves."""
    return open_of(person, now=now).filter(kind=ApiToken.Kind.INSTALLATION)


@transaction.atomic
def end(*, token: ApiToken, by: Person, now: dt.datetime) -> bool:
    """Refuse the key from now on; tells whether it was good until now."""
    ended = ApiToken.objects.filter(pk=token.pk, ended_at__isnull=True).update(ended_at=now)
    if ended:
        audit.record("api.key_ended", token, by=by, now=now)
    return bool(ended)


def end_all(*, person: Person, by: Person | None, now: dt.datetime) -> int:
    """End all keys of somebody who leaves, in the caller's transaction; returns how many."""
    rows = ApiToken.objects.filter(person=person, ended_at__isnull=True)
    for token in rows:
        audit.record("api.key_ended", token, by=by, now=now, left=True)
    return rows.update(ended_at=now)


def find(key: str, *, now: dt.datetime) -> ApiToken | None:
    """The good key that somebody showed, of a person who works here. Its last day is kept."""
    if not is_key(key):
        return None
    token = (
        ApiToken.objects.select_related("person")
        .filter(
            digest=_digest(key),
            ended_at__isnull=True,
            expires_at__gt=now,
            person__left_at__isnull=True,
            person__is_active=True,
        )
        .first()
    )
    if token and token.used_on != now.date():
        ApiToken.objects.filter(pk=token.pk).update(used_on=now.date())
    return token


def allows(token: ApiToken, scope: str) -> bool:
    """Tell whether the key opens this now: it carries the scope, and its person still may."""
    if scope not in token.scopes or token.kind not in SCOPES[scope].kinds:
        return False
    if token.kind == ApiToken.Kind.INSTALLATION and not token.person.has_role("administrator"):
        return False
    return may(token.person, scope)


def is_key(text: str) -> bool:
    """Tell whether a text has the form of a key, checksum included."""
    return bool(_FORM.fullmatch(text)) and text.endswith(_check(text[:-_CHECK]))


def _new_key() -> str:
    body = PREFIX + "".join(secrets.choice(_LETTERS) for _n in range(_RANDOM))
    return body + _check(body)


def _check(body: str) -> str:
    """CRC-32 in six letters."""
    number, found = zlib.crc32(body.encode()), ""
    for _n in range(_CHECK):
        number, rest = divmod(number, len(_LETTERS))
        found = _LETTERS[rest] + found
    return found


def _digest(key: str) -> str:
    """A hash without salt is enough: the key is random and longer than anybody can guess."""
    return hashlib.sha256(key.encode()).hexdigest()
