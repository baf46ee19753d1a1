"""Whether this installation may speak to networks at all (I12).

Yesterday's backup, or a copy of production under another address, would send everything again.
So the database remembers where it belongs, and stops until a person confirms.
"""

import datetime as dt
import hashlib

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from ambassadors import audit
from ambassadors.models import Person

from . import barrier, reconnects, tokens
from .models import ConnectedAccount, Instance
from .networks import NETWORKS
from .sealing import key_id

CLONE, MOVED, RESTORED = "clone", "moved", "restored"


def the() -> Instance:
    """The one row; made on first use."""
    return Instance.objects.get_or_create(pk=1)[0]


def stopped() -> bool:
    """Tell whether nothing may be asked of any network now."""
    return Instance.objects.filter(pk=1, stopped_at__isnull=False).exists()


def identify(*, now: dt.datetime) -> tuple[Instance, str]:
    """The row, and why it is not ours any more: other address or key, other database cluster.

    A new database is adopted; a new first key is learnt while an older one still fits.
    """
    row, ours, cluster = the(), _fingerprints(), _cluster()
    if row.fingerprint in ours[1:]:
        Instance.objects.filter(pk=1).update(fingerprint=ours[0])
    if not row.fingerprint:
        Instance.objects.filter(pk=1).update(fingerprint=ours[0], cluster=cluster, confirmed_at=now)
        row.refresh_from_db()
    elif row.fingerprint not in ours:
        return row, CLONE
    elif row.cluster and cluster and row.cluster != cluster:
        return row, MOVED
    return row, ""


def stop(why: str, *, now: dt.datetime) -> bool:
    """Stop everything; waits for the starts that came before, and shuts out those after."""
    with transaction.atomic():
        barrier.close()
        stopped_now = Instance.objects.filter(pk=1, stopped_at__isnull=True).update(
            stopped_at=now, stopped_why=why
        )
        if stopped_now:
            audit.record("instance.stopped", the(), by=None, now=now, why=why)
    return bool(stopped_now)


@transaction.atomic
def confirm(*, by: Person | None, now: dt.datetime) -> bool:
    """A person says that this installation is the one that publishes; tells whether it was stopped.

    Effects in order: the row is ours again; refresh tokens that serve only once are dropped,
    because the newer half of a restored database may have spent them; audit.
    """
    confirmed = Instance.objects.filter(pk=1, stopped_at__isnull=False).update(
        stopped_at=None,
        stopped_why="",
        fingerprint=_fingerprints()[0],
        cluster=_cluster(),
        confirmed_at=now,
        confirmed_by=by,
    )
    if not confirmed:
        return False
    spent = [name for name, net in NETWORKS.items() if net.abilities.single_use_refresh]
    for account in ConnectedAccount.objects.filter(network__in=spent, token__isnull=False):
        try:
            tokens.drop_refresh(account)
        except tokens.NoToken as error:  # sealed with a key that is lost
            reconnects.ask(account, why=str(error), now=now)
    audit.record("instance.confirmed", the(), by=by, now=now)
    return True


def _fingerprints() -> list[str]:
    """Of our address with each of our keys, the newest first."""
    address = "demo" if settings.DEMO else settings.SITE_URL  # a demo may change its port
    return [
        hashlib.sha256(f"{address}\n{key_id(key)}".encode()).hexdigest()
        for key in settings.TOKEN_KEYS
    ]


def _cluster() -> str:
    """PostgreSQL's identifier of its data directory, empty where we may not read it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
            found: str = cursor.fetchone()[0]
    except DatabaseError:
        return ""
    return found
