"""Keep and end connections. The round trip before them is :mod:`integrations.trips`."""

import datetime as dt
import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace

from django.conf import settings
from django.db import IntegrityError, transaction

from ambassadors import audit
from ambassadors.models import Person

from . import clients, sealing, tokens
from .models import ConnectedAccount, Revocation, Token
from .networks import get
from .networks.base import Identity, Network
from .wire import WireError

log = logging.getLogger(__name__)

# A send that had started may go on this long; its key is given back afterwards.
_LAST_SEND = dt.timedelta(seconds=40)
_MOST_TRIES = 10  # doubling from a minute: about seventeen hours


class TakenByOther(Exception):
    """The account is connected here already, by another person or by the company.

    ``account`` is the standing connection.
    """

    def __init__(self, account: ConnectedAccount | None) -> None:
        super().__init__()
        self.account = account


def connect(
    *,
    person: Person | None,
    network: str,
    base_url: str,
    identity: Identity,
    secrets_: Mapping[str, str],
    expires_at: dt.datetime | None,
    features: Mapping[str, object],
    now: dt.datetime,
    reconnect_by: dt.datetime | None = None,
    by: Person | None = None,
    renews: ConnectedAccount | None = None,
) -> ConnectedAccount:
    """Keep an account with its sealed token; a person's connecting again renews theirs.

    Without ``person`` it is the company's channel, connected ``by`` an administrator; a second
    connection of the same channel is refused unless it ``renews`` the standing one.
    Raises :class:`TakenByOther`, with an audit entry.
    """
    by = by or person
    if reconnect_by is None and not _refreshable(network, secrets_):
        reconnect_by = expires_at
    facts = {
        "base_url": base_url,
        "handle": identity.handle,
        "display_name": identity.display_name,
        "profile_url": identity.url,
        "features": dict(features),
        "connected_at": now,
        "reconnect_reason": "",
        "reconnect_by": reconnect_by,
        "warned_at": None,
    }
    try:
        with transaction.atomic():
            account = renews or _own(person, network, base_url, identity)
            if account is None:
                account = ConnectedAccount.objects.create(
                    person=person, added_by=by, network=network, remote_id=identity.remote_id,
                    **facts,
                )  # fmt: skip
            elif not ConnectedAccount.objects.filter(
                pk=account.pk, disconnected_at__isnull=True
            ).update(**facts):
                raise TakenByOther(None)
            account.refresh_from_db()
            tokens.store(account, dict(secrets_), expires_at=expires_at)
            audit.record("account.connected", account, by=by, now=now, network=network)
    except IntegrityError as error:
        standing = ConnectedAccount.objects.filter(
            network=network,
            base_url=base_url,
            remote_id=identity.remote_id,
            disconnected_at__isnull=True,
        ).first()
        if standing:
            audit.record("account.claimed_twice", standing, by=by, now=now, network=network)
        raise TakenByOther(standing) from error
    return account


def _own(
    person: Person | None, network: str, base_url: str, identity: Identity
) -> ConnectedAccount | None:
    """The person's standing connection of the same account, which connecting again renews."""
    if person is None:
        return None
    return (
        ConnectedAccount.objects.of(person)
        .filter(network=network, base_url=base_url, remote_id=identity.remote_id)
        .first()
    )


def _refreshable(network: str, secrets_: Mapping[str, str]) -> bool:
    """Tell whether we can renew the key ourselves when it ends."""
    return "refresh_token" in secrets_ or type(get(network)).refresh is not Network.refresh


@transaction.atomic
def disconnect(*, account: ConnectedAccount, by: Person | None, now: dt.datetime) -> bool:
    """Forget the token at once; tells whether the account was connected.

    Effects in order: the UPDATE waits for starts that hold the row FOR SHARE; the token's row
    goes, its key moves to the queue of those given back to their networks; audit entry. Doors use
    :mod:`campaigns.endings`, which also waits for what is in flight.
    """
    ended = ConnectedAccount.objects.filter(pk=account.pk, disconnected_at__isnull=True).update(
        disconnected_at=now
    )
    if not ended:
        return False
    token = Token.objects.select_for_update().filter(account=account).first()
    if token:
        Revocation.objects.create(
            account=account, sealed=token.sealed, key_id=token.key_id, due_at=now + _LAST_SEND
        )
        token.delete()
    audit.record("account.disconnected", account, by=by, now=now, network=account.network)
    return True


def revoke_due(*, now: dt.datetime, limit: int = 20) -> int:
    """Give keys of ended connections back to their networks; returns how many were taken."""
    with transaction.atomic():
        rows = list(
            Revocation.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("account")
            .filter(due_at__lte=now)
            .order_by("due_at")[:limit]
        )
        for row in rows:  # counted before the call: a call that kills its worker ends, too
            row.tries += 1
            row.due_at = now + dt.timedelta(minutes=2 ** (row.tries - 1))
            row.save(update_fields=["tries", "due_at"])
    return sum(_revoke(row, now) for row in rows)


def _revoke(row: Revocation, now: dt.datetime) -> bool:
    account = row.account
    try:
        access = tokens.access(account, tokens.open_ended(account, row.sealed))
        app = clients.known(account.network, account.base_url)
        get(account.network).revoke(replace(access, app=app))
    except WireError as error:
        log.warning("%s did not take a key back: %s", account.network, type(error).__name__)
        if row.tries < _MOST_TRIES:
            return False
        act = "account.key_not_taken_back"
    except sealing.SealBroken:
        act = "account.key_not_taken_back"
    else:
        act = "account.key_given_back"
    with transaction.atomic():
        row.delete()
        audit.record(act, account, by=None, now=now, network=account.network)
    return act == "account.key_given_back"


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
        features={"token_sha256": wall_token_hash(token)},
        now=now,
    )


def wall_token_hash(token: str) -> str:
    """What the practice wall keeps of a bearer token; stands in the account's ``features``."""
    return hashlib.sha256(token.encode()).hexdigest()
