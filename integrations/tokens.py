"""Open, refresh and rotate the tokens of connected accounts."""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.db import transaction

from . import clients, sealing
from .models import ConnectedAccount, Token
from .networks import get
from .networks.base import Access, Refused

# A token must outlive the send by this much, else it is refreshed first (contract 2.3/4).
_MARGIN = dt.timedelta(seconds=120)


class NoToken(Exception):
    """The account cannot be used until its person reconnects; the message says why."""


def _context(account: ConnectedAccount) -> dict[str, str]:
    return {"provider": account.network, "account_id": str(account.pk), "kind": "token"}


def store(
    account: ConnectedAccount, secrets: dict[str, str], *, expires_at: dt.datetime | None
) -> None:
    """Seal new secrets for an account, replacing older ones."""
    sealed, key = sealing.seal(secrets, context=_context(account))
    Token.objects.update_or_create(
        account=account, defaults={"sealed": sealed, "key_id": key, "expires_at": expires_at}
    )


def access(account: ConnectedAccount, secrets: dict[str, str]) -> Access:
    """Everything a network file needs to speak as this account."""
    return Access(
        base_url=account.base_url,
        remote_account_id=account.remote_id,
        handle=account.handle,
        secrets=secrets,
        features=account.features,
        app=clients.configured(account.network),
    )


def open_access(account: ConnectedAccount, *, now: dt.datetime, renew: bool = False) -> Access:
    """Open the account's secrets, refreshing them first when they end too soon.

    ``renew`` forces one refresh (the network answered 401). The row lock makes sure that a
    refresh token is presented once: whoever waited re-reads and uses the winner's pair.
    Raises :class:`NoToken`.
    """
    token = Token.objects.filter(account=account).first()
    if token is None:
        message = "disconnected"
        raise NoToken(message)
    if not renew and (token.expires_at is None or token.expires_at > now + _MARGIN):
        return access(account, _unseal(token))
    seen = token.version
    with transaction.atomic():
        token = Token.objects.select_for_update().get(pk=token.pk)
        current = access(account, _unseal(token))
        fresh = token.expires_at is None or token.expires_at > now + _MARGIN
        if token.version != seen or (fresh and not renew):
            return current
        return _refresh(account, token, current, now=now)


def _refresh(
    account: ConnectedAccount, token: Token, current: Access, *, now: dt.datetime
) -> Access:
    """Present the refresh token; the caller holds the row's lock."""
    renewed = get(account.network).refresh(current, now)
    if isinstance(renewed, Refused):
        raise NoToken(renewed.why)
    secrets = dict(renewed.secrets)
    sealed, key = sealing.seal(secrets, context=_context(account))
    Token.objects.filter(pk=token.pk, version=token.version).update(
        sealed=sealed, key_id=key, expires_at=renewed.expires_at, version=token.version + 1
    )
    return access(account, secrets)


def expire(account: ConnectedAccount, *, now: dt.datetime) -> None:
    """Have the token refreshed before its next use: the network says that it has ended."""
    Token.objects.filter(account=account).update(expires_at=now)


def _unseal(token: Token) -> dict[str, str]:
    try:
        return sealing.unseal(token.sealed, context=_context(token.account))
    except sealing.SealBroken as error:
        raise NoToken(str(error)) from error


def rotate(*, batch: int = 200) -> Iterator[int]:
    """Re-seal tokens that an older key sealed; resumable, yields how many each batch did."""
    newest = sealing.key_id(settings.TOKEN_KEYS[0])
    while True:
        with transaction.atomic():
            rows = list(
                Token.objects.select_for_update(skip_locked=True)
                .select_related("account")
                .exclude(key_id=newest)[:batch]
            )
            for token in rows:
                secrets = sealing.unseal(token.sealed, context=_context(token.account))
                sealed, key = sealing.seal(secrets, context=_context(token.account))
                Token.objects.filter(pk=token.pk).update(sealed=sealed, key_id=key)
        if not rows:
            return
        yield len(rows)


def open_ended(account: ConnectedAccount, sealed: "bytes | memoryview[int]") -> dict[str, str]:
    """Open the key of an ended connection, to give it back. Raises SealBroken."""
    return sealing.unseal(sealed, context=_context(account))
