"""Keys for identity providers: made once, shown once, several at a time, ended in one click."""

import datetime as dt
import hashlib
import secrets

from django.db import transaction

from ambassadors import audit
from ambassadors.models import Person

from .models import ScimToken

_PREFIX = "bscim_"  # so that a key lying around is recognised
LONGEST = dt.timedelta(days=730)


def _digest(key: str) -> str:
    """A hash without salt is enough: the key is random and longer than anybody can guess."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


@transaction.atomic
def make(
    *, name: str, expires_at: dt.datetime, by: Person, now: dt.datetime
) -> tuple[ScimToken, str]:
    """Make a key; returns its row and the key, which nobody can see again."""
    key = _PREFIX + secrets.token_urlsafe(32)
    token = ScimToken.objects.create(
        name=name, digest=_digest(key), shown=key[-4:], made_by=by, made_at=now,
        expires_at=min(expires_at, now + LONGEST),
    )  # fmt: skip
    audit.record("scim.key_made", token, by=by, now=now, expires=token.expires_at.isoformat())
    return token, key


@transaction.atomic
def end(*, token: ScimToken, by: Person, now: dt.datetime) -> bool:
    """Refuse the key from now on; tells whether it was good until now."""
    ended = ScimToken.objects.filter(pk=token.pk, ended_at__isnull=True).update(ended_at=now)
    if ended:
        audit.record("scim.key_ended", token, by=by, now=now)
    return bool(ended)


def find(key: str, *, now: dt.datetime) -> ScimToken | None:
    """The good key that somebody showed; its last use is kept as a day."""
    token = ScimToken.objects.filter(
        digest=_digest(key), ended_at__isnull=True, expires_at__gt=now
    ).first()
    if token and token.used_on != now.date():
        ScimToken.objects.filter(pk=token.pk).update(used_on=now.date())
    return token
