"""Connect and disconnect accounts."""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.db import IntegrityError, transaction

from ambassadors import audit
from ambassadors.models import Person

from . import sealing, tokens
from .models import ConnectAttempt, ConnectedAccount, ServerApp, Token
from .networks import mastodon_connect as mastodon
from .networks.base import Identity

_ATTEMPT_LIVES = dt.timedelta(minutes=10)


class TakenByOther(Exception):
    """Another person has connected this account already."""


class StaleAttempt(Exception):
    """The round trip is unknown, used, too old, or somebody else's."""


def connect(
    *,
    person: Person,
    network: str,
    base_url: str,
    identity: Identity,
    secrets_: dict[str, str],
    expires_at: dt.datetime | None,
    features: dict[str, object],
    now: dt.datetime,
) -> ConnectedAccount:
    """Keep an account with its sealed token; connecting again renews it.

    Raises :class:`TakenByOther`.
    """
    try:
        with transaction.atomic():
            account, _new = ConnectedAccount.objects.update_or_create(
                person=person,
                network=network,
                base_url=base_url,
                remote_id=identity.remote_id,
                disconnected_at=None,
                defaults={
                    "handle": identity.handle,
                    "display_name": identity.display_name,
                    "profile_url": identity.url,
                    "features": features,
                    "connected_at": now,
                    "reconnect_reason": "",
                },
            )
            tokens.store(account, secrets_, expires_at=expires_at)
            audit.record("account.connected", account, by=person, now=now, network=network)
    except IntegrityError as error:
        raise TakenByOther from error
    return account


@transaction.atomic
def disconnect(*, account: ConnectedAccount, by: Person, now: dt.datetime) -> None:
    """Forget the token at once; the UPDATE waits for starts that hold the row FOR SHARE."""
    ConnectedAccount.objects.filter(pk=account.pk, disconnected_at__isnull=True).update(
        disconnected_at=now
    )
    Token.objects.filter(account=account).delete()
    audit.record("account.disconnected", account, by=by, now=now, network=account.network)


def connect_wall(*, person: Person, now: dt.datetime) -> ConnectedAccount:
    """Give a person their place on the practice wall; a standing one is kept."""
    standing = ConnectedAccount.objects.of(person).filter(network="wall").first()
    if standing:
        return standing
    token = secrets.token_urlsafe(32)
    return connect(
        person=person,
        network="wall",
        base_url=settings.PRACTICE_WALL_URL,
        identity=Identity(
            f"wall-{person.pk}", person.name, person.name, f"{settings.SITE_URL}/wall/"
        ),
        secrets_={"access_token": token},
        expires_at=None,
        features={"token_sha256": hashlib.sha256(token.encode()).hexdigest()},
        now=now,
    )


def _app_context(base_url: str) -> dict[str, str]:
    return {"provider": "mastodon", "account_id": base_url, "kind": "app"}


def mastodon_app(
    *, base_url: str, redirect_uri: str, modern: bool, now: dt.datetime
) -> mastodon.App:
    """Our registration at a server, made on first use. Raises WireError."""
    row = ServerApp.objects.filter(network="mastodon", base_url=base_url).first()
    if row:
        kept = sealing.unseal(row.sealed, context=_app_context(base_url))
        return mastodon.App(kept["client_id"], kept["client_secret"], kept["scopes"])
    app = mastodon.register(
        base_url, redirect_uri=redirect_uri, website=settings.SITE_URL, modern=modern
    )
    sealed, key = sealing.seal(
        {"client_id": app.client_id, "client_secret": app.client_secret, "scopes": app.scopes},
        context=_app_context(base_url),
    )
    ServerApp.objects.get_or_create(
        network="mastodon",
        base_url=base_url,
        defaults={"sealed": sealed, "key_id": key, "registered_at": now},
    )
    return app


def begin(*, person: Person, network: str, base_url: str, now: dt.datetime) -> tuple[str, str]:
    """Open a round trip; returns ``state`` (128 bit, one use, 10 minutes) and PKCE verifier."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    digest = hashlib.sha256(state.encode()).hexdigest()
    sealed, key = sealing.seal({"verifier": verifier}, context={"kind": "attempt", "of": digest})
    ConnectAttempt.objects.create(
        state_hash=digest,
        person=person,
        network=network,
        base_url=base_url,
        sealed=sealed,
        key_id=key,
        began_at=now,
    )
    return state, verifier


def redeem(*, person: Person, network: str, state: str, now: dt.datetime) -> tuple[str, str]:
    """Close a round trip once; returns base URL and verifier. Raises :class:`StaleAttempt`."""
    digest = hashlib.sha256(state.encode()).hexdigest()
    used = ConnectAttempt.objects.filter(
        state_hash=digest,
        person=person,
        network=network,
        used_at__isnull=True,
        began_at__gt=now - _ATTEMPT_LIVES,
    ).update(used_at=now)
    if not used:
        raise StaleAttempt
    attempt = ConnectAttempt.objects.get(state_hash=digest)
    verifier = sealing.unseal(attempt.sealed, context={"kind": "attempt", "of": digest})
    return attempt.base_url, verifier["verifier"]
