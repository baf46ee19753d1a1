"""Open and renew the secrets of connected accounts.

A refresh token that rotates serves once, and presenting it twice ends the connection (I10).
Whoever renews therefore holds the account's row, and leaves a mark on the disk before the call
and the new pair before the commit: a worker that dies in between is followed by one that knows.
"""

import datetime as dt
import logging
from collections.abc import Mapping
from pathlib import Path

from django.db import transaction
from django.db.models import F, Q

from . import clients, reconnects, sealing, spool
from .models import ConnectedAccount, Token
from .networks import get
from .networks.base import Access, Refused, Renewed
from .wire import NotSent, WireError

log = logging.getLogger(__name__)

_SPOOL = "token"
# A token must outlive the send by this much, else it is renewed first (contract 2.3/4).
_MARGIN = dt.timedelta(seconds=120)
# A token without use ends too: X after 6 months, Bluesky after 2 weeks at the least. Those that
# live for weeks (Threads, LinkedIn: 60 days) are renewed in their last one.
_LAPSES = dt.timedelta(days=7)
_IDLE = dt.timedelta(days=6)
_SHORT_LIVED = dt.timedelta(hours=3)


class NoToken(Exception):
    """The account cannot be used until its person reconnects; the message says why."""


def _context(account: ConnectedAccount) -> dict[str, str]:
    return {"provider": account.network, "account_id": str(account.pk), "kind": "token"}


def store(
    account: ConnectedAccount, secrets: Mapping[str, str], *, expires_at: dt.datetime | None
) -> None:
    """Seal new secrets for an account, replacing older ones and what the spool knows of them."""
    sealed, key = sealing.seal(secrets, context=_context(account))
    fields = {"sealed": sealed, "key_id": key, "expires_at": expires_at}
    Token.objects.update_or_create(
        account=account,
        defaults={**fields, "version": F("version") + 1},
        create_defaults=fields,
    )


def access(account: ConnectedAccount, secrets: Mapping[str, str]) -> Access:
    """Everything a network file needs to speak as this account."""
    return Access(
        base_url=account.base_url,
        remote_account_id=account.remote_id,
        handle=account.handle,
        secrets=secrets,
        features=account.features,
        app=clients.configured(account.network),
    )


def open_access(
    account: ConnectedAccount, *, now: dt.datetime, lasting: dt.timedelta = _MARGIN
) -> Access:
    """Open the account's secrets, renewing them first unless they last for ``lasting``.

    Raises :class:`NoToken` (only the person can help; they are asked once) or WireError (later).
    """
    token = Token.objects.select_related("account").filter(account=account).first()
    if token and _lasts(token, now + lasting):
        return access(account, _unseal(token))
    with transaction.atomic():
        token = _locked(account)
        outcome = _current(token, now, lasting) if token else NoToken("disconnected")
    if isinstance(outcome, Access):
        return outcome
    raise outcome


def drop_refresh(account: ConnectedAccount) -> None:
    """Forget a refresh token that may be spent: what it opened lasts until it ends."""
    token = Token.objects.select_for_update().get(account=account)
    secrets = {k: v for k, v in _unseal(token).items() if k != "refresh_token"}
    store(account, secrets, expires_at=token.expires_at)


def expire(account: ConnectedAccount, *, now: dt.datetime) -> None:
    """Have the token renewed before its next use: the network says that it has ended."""
    Token.objects.filter(account=account).update(expires_at=now)


def renew_lapsing(*, now: dt.datetime) -> int:
    """Renew what would end without use; returns how many. Failures wait for the next day."""
    soon = Q(expires_at__gt=now + _SHORT_LIVED, expires_at__lt=now + _LAPSES)
    idle = Q(expires_at__lt=now - _IDLE)
    count = 0
    for token in Token.objects.filter(soon | idle, account__reconnect_reason=""):
        try:
            open_access(token.account, now=now, lasting=_LAPSES)
            count += 1
        except (NoToken, WireError) as error:
            log.warning("account %s was not renewed: %s", token.account_id, error)
    return count


def replay() -> int:
    """Store what dead workers left in the spool; returns how many accounts were looked at."""
    keys = {int(key) for _path, key, _answer in spool.found(_SPOOL)}
    accounts = {account.pk: account for account in ConnectedAccount.objects.filter(pk__in=keys)}
    for key in keys:
        with transaction.atomic():
            token = _locked(accounts[key]) if key in accounts else None
            left = [(path, answer) for path, _key, answer in spool.found(_SPOOL, str(key))]
            if token is None:  # disconnected meanwhile: nothing of theirs is kept
                for path, _answer in left:
                    spool.forget(path)
            else:
                _take_over(token)
    return len(keys)


def _lasts(token: Token, until: dt.datetime) -> bool:
    return token.expires_at is None or token.expires_at > until


def _unseal(token: Token) -> dict[str, str]:
    try:
        return sealing.unseal(token.sealed, context=_context(token.account))
    except sealing.SealBroken as error:
        log.error("the token of account %s: %s", token.account_id, error)  # noqa: TRY400 - one line
        raise NoToken(str(error)) from error


def _locked(account: ConnectedAccount) -> Token | None:
    """Take the account's row until the commit: one process at a time renews or reconnects it."""
    ConnectedAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    return Token.objects.select_related("account").filter(account=account).first()


def _current(token: Token, now: dt.datetime, lasting: dt.timedelta) -> Access | NoToken | WireError:
    """The secrets as they are under the lock: somebody else's new ones, or ours.

    What went wrong is returned, not raised, so that what was learnt is committed.
    """
    unanswered = _take_over(token)
    account = token.account
    current = access(account, _unseal(token))
    if _lasts(token, now + lasting):
        return current
    if account.reconnect_reason:
        return NoToken(account.reconnect_reason)
    again = get(account.network).refreshes_again(current)
    if unanswered and not again:
        return _ask(account, "the network's answer to our renewal was lost", now)
    return _refresh(token, current, now, again=again)


def _take_over(token: Token) -> bool:
    """Store the newest pair a dead worker left; tells whether one died before it had an answer.

    The caller holds the lock, so whoever wrote these files is gone or done. Files of versions
    before ours are of no use any more. Ours may be the older one, after a restored backup.
    """
    files = [(path, answer) for path, _key, answer in spool.found(_SPOOL, str(token.account_id))]
    for _path, answer in files:
        version = int(str(answer["version"]))
        if version >= token.version and isinstance(found := answer.get("secrets"), dict):
            renewed = Renewed(found, _time(answer["expires_at"]), _time(answer["reconnect_by"]))
            _write(token, renewed, version + 1)
            reconnects.settle(token.account)
    stale = [path for path, answer in files if int(str(answer["version"])) < token.version]
    _forget_after_commit(*stale)
    return len(stale) < len(files)


def _refresh(
    token: Token, current: Access, now: dt.datetime, *, again: bool
) -> Access | NoToken | WireError:
    """Present the refresh token; the caller holds the lock.

    An answer that is missing may have spent it: without ``again`` nobody presents it a second
    time and the person is asked.
    """
    account, key = token.account, str(token.account_id)
    mark = None if again else spool.keep(_SPOOL, key, {"version": token.version})
    try:
        renewed = get(account.network).refresh(current, now)
    except NotSent as error:
        _forget(mark)
        return error
    except Exception as error:  # a bug after the first byte must not look like "not presented"
        if again:
            return error if isinstance(error, WireError) else WireError(type(error).__name__)
        log.exception("renewing account %s", account.pk)
        return _ask(account, f"{type(error).__name__} while renewing", now, mark)
    if isinstance(renewed, Refused):
        if _lasts(token, now + _MARGIN):  # too early to trouble anybody
            _forget(mark)
            return NoToken(renewed.why)
        return _ask(account, renewed.why, now, mark)
    pair = spool.keep(
        _SPOOL,
        key,
        {
            "version": token.version,
            "secrets": dict(renewed.secrets),
            "expires_at": renewed.expires_at and renewed.expires_at.isoformat(),
            "reconnect_by": renewed.reconnect_by and renewed.reconnect_by.isoformat(),
        },
    )
    _write(token, renewed, token.version + 1)
    _forget_after_commit(mark, pair)
    return access(account, renewed.secrets)


def _write(token: Token, renewed: Renewed, version: int) -> None:
    """Store a new pair in the row and in ``token``."""
    token.sealed, token.key_id = sealing.seal(renewed.secrets, context=_context(token.account))
    token.expires_at, token.version = renewed.expires_at, version
    token.save()
    if renewed.reconnect_by:
        reconnects.until(token.account, renewed.reconnect_by)


def _ask(
    account: ConnectedAccount, why: str, now: dt.datetime, mark: Path | None = None
) -> NoToken:
    reconnects.ask(account, why=why, now=now)
    _forget_after_commit(mark)
    return NoToken(why)


def _forget(path: Path | None) -> None:
    if path:
        spool.forget(path)


def _forget_after_commit(*paths: Path | None) -> None:
    """Keep the files until the database has what is in them."""
    for path in filter(None, paths):
        transaction.on_commit(lambda path=path: spool.forget(path))  # type: ignore[misc]


def _time(value: object) -> dt.datetime | None:
    return dt.datetime.fromisoformat(str(value)) if value else None


def open_ended(account: ConnectedAccount, sealed: "bytes | memoryview[int]") -> dict[str, str]:
    """Open the key of an ended connection, to give it back. Raises SealBroken."""
    return sealing.unseal(sealed, context=_context(account))
