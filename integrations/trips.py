"""The round trip to a network where a person says yes, one way for all networks (RFC 9700).

``begin`` sends them off, ``arrive`` takes them back, ``choose`` asks which account when one yes
opened several. Codes and tokens pass through here in memory and stay sealed in the database; no
function returns or logs one.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from ambassadors import audit
from ambassadors.models import Person, Role

from . import accounts, clients, sealing
from .models import ConnectAttempt, ConnectedAccount
from .networks import NETWORKS, get
from .networks.base import AppGone, Grant, Identity, Network, NotConnected, Trip

_ATTEMPT_LIVES = dt.timedelta(minutes=10)
_MOST_GRANTS = 100


class StaleAttempt(Exception):
    """The round trip is unknown, used, too old, or somebody else's."""


class NotForYou(Exception):
    """The network has no such kind of account, or the person may not connect one."""


class SaidNo(Exception):
    """The person declined at the network."""


class OtherAccount(Exception):
    """The yes came from another account than the one to be connected again."""


def offered(*, company: bool) -> list[Network]:
    """Networks on which a person, or the company, can connect an account by saying yes there."""
    wanted = "company" if company else "person"
    return [
        network
        for network in NETWORKS.values()
        if network.abilities.connect == "oauth" and wanted in network.abilities.for_whom
    ]


def every_server_is_its_own(network: str) -> bool:
    """Tell whether people name their server, because each is an authorisation server."""
    return network in NETWORKS and NETWORKS[network].abilities.asks_for == "server"


def server_slug(network: str, base_url: str) -> str:
    """Name an authorisation server in our redirect URI: one URI for each (RFC 9700, 4.4.2.2)."""
    if not every_server_is_its_own(network):
        return network
    return f"{network}-{hashlib.sha256(base_url.encode()).hexdigest()[:12]}"


def redirect_uri(server: str) -> str:
    """Where a server sends people back: from SITE_URL, the same string everywhere."""
    return f"{settings.SITE_URL}{reverse('connect_callback', args=[server])}"


def begin(
    *,
    person: Person,
    session: str,
    network: str,
    base_url: str = "",
    hint: str = "",
    company: bool = False,
    renews: ConnectedAccount | None = None,
    now: dt.datetime,
) -> str:
    """Open a round trip; returns the address at which the person says yes.

    ``state`` has 128 bits and more, serves once and for ten minutes, and is bound to session,
    person, network and server. Raises :class:`NotForYou`, clients.NotSetUp, NotConnected,
    NotAble or WireError.
    """
    if get(network) not in offered(company=company) or (company and not _may_connect(person)):
        raise NotForYou
    server = server_slug(network, base_url)
    trip = Trip(
        app=clients.ours(network, base_url, redirect=redirect_uri(server), now=now),
        base_url=base_url,
        redirect_uri=redirect_uri(server),
        state=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
        company=company,
        hint=hint,
    )
    try:
        departure = get(network).depart(trip)
    except AppGone:  # servers forget registrations nobody used
        clients.forget(network, base_url)
        app = clients.ours(network, base_url, redirect=redirect_uri(server), now=now)
        departure = get(network).depart(replace(trip, app=app))
    digest = _digest(trip.state)
    sealed, key = sealing.seal(
        {"verifier": trip.verifier, "kept": json.dumps(dict(departure.kept))},
        context={"kind": "attempt", "of": digest},
    )
    ConnectAttempt.objects.create(
        state_hash=digest,
        session_hash=_digest(session),
        server=server,
        company=company,
        renews=renews,
        person=person,
        network=network,
        base_url=base_url,
        sealed=sealed,
        key_id=key,
        began_at=now,
    )
    return departure.url


def arrive(
    *, person: Person, session: str, server: str, answer: Mapping[str, str], now: dt.datetime
) -> ConnectedAccount | ConnectAttempt:
    """Take a person back: the connected account, or the attempt in which they choose one.

    The attempt is used up first, so that a repeated callback meets nothing. Raises
    :class:`StaleAttempt`, :class:`SaidNo`, :class:`OtherAccount`, :class:`NotForYou`,
    NotConnected, WireError or :class:`integrations.accounts.TakenByOther`.
    """
    attempt, verifier, kept = _redeem(person, session, server, answer.get("state", ""), now)
    _check_issuer(attempt, kept, answer)
    if "error" in answer:
        raise SaidNo
    if attempt.company and not _may_connect(person):
        raise NotForYou
    trip = Trip(
        app=clients.ours(attempt.network, attempt.base_url, redirect=redirect_uri(server), now=now),
        base_url=attempt.base_url,
        redirect_uri=redirect_uri(server),
        state=answer["state"],
        verifier=verifier,
        company=attempt.company,
        kept=kept,
    )
    try:
        found = get(attempt.network).arrive(trip, answer, now)
    except AppGone:
        clients.forget(attempt.network, attempt.base_url)
        raise
    grants = [grant for grant in found if grant.company == attempt.company]
    if attempt.renews:
        grants = [grant for grant in grants if _same(grant, attempt.renews)]
        if not grants:
            raise OtherAccount
    if not grants:
        message = "no account of this kind"
        raise NotConnected(message)
    if len(grants) == 1:
        return _keep(attempt, grants[0], now)
    _remember(attempt, grants[:_MOST_GRANTS])
    return attempt


def attempt_of(*, person: Person, state: str) -> ConnectAttempt | None:
    """The person's own attempt with a state, however it ended: to know where they came from."""
    return ConnectAttempt.objects.filter(person=person, state_hash=_digest(state)).first()


def waiting(*, person: Person, session: str, pk: int, now: dt.datetime) -> ConnectAttempt:
    """The attempt whose accounts a person is about to choose from. Raises StaleAttempt."""
    attempt = ConnectAttempt.objects.filter(
        pk=pk,
        person=person,
        session_hash=_digest(session),
        used_at__gt=now - _ATTEMPT_LIVES,
    ).first()
    if attempt is None or not attempt.sealed:
        raise StaleAttempt
    return attempt


def grants_of(attempt: ConnectAttempt) -> list[Grant]:
    """What a yes opened, while the person chooses. Raises :class:`StaleAttempt`."""
    try:
        kept = sealing.unseal(attempt.sealed, context={"kind": "grants", "of": attempt.state_hash})
    except sealing.SealBroken as error:
        raise StaleAttempt from error
    return [_grant(row) for row in json.loads(kept["grants"])]


def choose(
    *, attempt: ConnectAttempt, chosen: Sequence[str], now: dt.datetime
) -> tuple[list[ConnectedAccount], list[Grant]]:
    """Connect the accounts with the chosen remote ids; returns them, and those taken already.

    The other grants are forgotten. Raises :class:`StaleAttempt`, :class:`NotForYou`.
    """
    if attempt.company and not _may_connect(attempt.person):
        raise NotForYou
    grants = [grant for grant in grants_of(attempt) if grant.identity.remote_id in chosen]
    if not ConnectAttempt.objects.filter(pk=attempt.pk, sealed=attempt.sealed).update(sealed=b""):
        raise StaleAttempt
    connected, taken = [], []
    for grant in grants:
        try:
            connected.append(_keep(attempt, grant, now))
        except accounts.TakenByOther:
            taken.append(grant)
    return connected, taken


def forget_old(*, now: dt.datetime) -> int:
    """Delete round trips that are over, with whatever was sealed in them."""
    deleted, _kinds = ConnectAttempt.objects.filter(began_at__lt=now - 3 * _ATTEMPT_LIVES).delete()
    return deleted


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _may_connect(person: Person) -> bool:
    """The company's channels are connected by administrators, asked anew each time."""
    return Role.objects.filter(person=person, name=Role.Name.ADMINISTRATOR).exists()


def _redeem(
    person: Person, session: str, server: str, state: str, now: dt.datetime
) -> tuple[ConnectAttempt, str, dict[str, str]]:
    """Use an attempt up, if everything it was bound to is the same. Raises StaleAttempt."""
    digest = _digest(state)
    bound = ConnectAttempt.objects.filter(
        state_hash=digest,
        session_hash=_digest(session),
        person=person,
        server=server,
        used_at__isnull=True,
        began_at__gt=now - _ATTEMPT_LIVES,
    )
    with transaction.atomic():
        if not bound.update(used_at=now):
            raise StaleAttempt("state")
        attempt = ConnectAttempt.objects.select_related("renews").get(state_hash=digest)
        sealed, attempt.sealed = attempt.sealed, b""
        attempt.save(update_fields=["sealed"])
    try:
        kept = sealing.unseal(sealed, context={"kind": "attempt", "of": digest})
    except sealing.SealBroken as error:
        raise StaleAttempt from error
    return attempt, kept["verifier"], json.loads(kept["kept"])


def _check_issuer(
    attempt: ConnectAttempt, kept: Mapping[str, str], answer: Mapping[str, str]
) -> None:
    """Compare who answers with whom we asked (RFC 9207).

    A network file puts ``issuer`` into what it remembers where the server's metadata announces
    the parameter; then it must be there. Raises :class:`StaleAttempt`.
    """
    wanted = kept.get("issuer") or attempt.base_url
    said = answer.get("iss", "" if kept.get("issuer") else wanted)
    if wanted and said.rstrip("/") != wanted.rstrip("/"):
        raise StaleAttempt("issuer")


def _same(grant: Grant, account: ConnectedAccount) -> bool:
    """Tell whether a grant is for the account that is to be connected again."""
    if grant.identity.remote_id != account.remote_id:
        return False
    return not every_server_is_its_own(account.network) or grant.base_url == account.base_url


def _keep(attempt: ConnectAttempt, grant: Grant, now: dt.datetime) -> ConnectedAccount:
    """Connect one grant. Raises :class:`integrations.accounts.TakenByOther`."""
    account = accounts.connect(
        person=None if attempt.company else attempt.person,
        network=attempt.network,
        base_url=grant.base_url,
        identity=grant.identity,
        secrets_=grant.secrets,
        expires_at=grant.expires_at,
        features=grant.features,
        reconnect_by=grant.reconnect_by,
        by=attempt.person,
        renews=attempt.renews,
        now=now,
    )
    if attempt.renews:
        audit.record("account.renewed", account, by=attempt.person, now=now)
    return account


def _remember(attempt: ConnectAttempt, grants: Sequence[Grant]) -> None:
    """Seal the grants on the attempt until the person has chosen."""
    rows = [
        {
            "identity": [
                grant.identity.remote_id,
                grant.identity.handle,
                grant.identity.display_name,
                grant.identity.url,
            ],
            "base_url": grant.base_url,
            "secrets": dict(grant.secrets),
            "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
            "reconnect_by": grant.reconnect_by.isoformat() if grant.reconnect_by else None,
            "company": grant.company,
            "features": dict(grant.features),
        }
        for grant in grants
    ]
    attempt.sealed, attempt.key_id = sealing.seal(
        {"grants": json.dumps(rows)}, context={"kind": "grants", "of": attempt.state_hash}
    )
    attempt.save(update_fields=["sealed", "key_id"])


def _grant(row: Mapping[str, object]) -> Grant:
    """Read a grant back from what :func:`_remember` sealed."""
    fields = dict(row)
    for name in ("expires_at", "reconnect_by"):
        fields[name] = dt.datetime.fromisoformat(str(fields[name])) if fields[name] else None
    fields["identity"] = Identity(*fields["identity"])  # type: ignore[misc]
    return Grant(**fields)  # type: ignore[arg-type]
