"""What a network allows: calls left, whether a host answers, and what a month may cost.

Kept in PostgreSQL, so that every worker on every machine sees the same.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from .models import Bucket, Budget, Circuit, ConnectedAccount
from .networks import get
from .networks.base import Remaining

_OPEN_AFTER = 5  # failures in a row …
_WITHIN = dt.timedelta(seconds=30)  # … that begin within this time
_PROBE_EVERY = dt.timedelta(seconds=60)
_SAME_WINDOW = dt.timedelta(seconds=5)  # clocks differ a little between answers


# Calls left --------------------------------------------------------------------------------


def remember(account: ConnectedAccount, said: Iterable[Remaining], *, now: dt.datetime) -> None:
    """Keep what an answer said about the account's and the app's limits.

    Within one window the smaller number counts, because answers overtake each other. Read first:
    the app's row is everybody's, and claiming has mostly counted it down already, so that an answer
    need not wait for its lock.
    """
    for limit in said:
        resets_at = now + dt.timedelta(seconds=min(max(limit.wait, 0.0), 86_400.0))
        key = _key(account, limit.whose)
        bucket = Bucket.objects.filter(**key).first()
        if bucket is None:
            new = Bucket(**key, left=limit.left, resets_at=resets_at)
            Bucket.objects.bulk_create([new], ignore_conflicts=True)
            continue
        same = abs(bucket.resets_at - resets_at) <= _SAME_WINDOW
        left = min(bucket.left, limit.left) if same else limit.left
        if (left, same) != (bucket.left, True):
            Bucket.objects.filter(pk=bucket.pk).update(left=left, resets_at=resets_at)


def pause(account: ConnectedAccount, whose: str, until: dt.datetime) -> None:
    """A network said "too many": nothing of this account, or of this app, until then."""
    key = _key(account, whose)
    if not Bucket.objects.filter(**key, resets_at__lte=until).update(left=0, resets_at=until):
        Bucket.objects.get_or_create(**key, defaults={"left": 0, "resets_at": until})


def _key(account: ConnectedAccount, whose: str) -> dict[str, object]:
    return {
        "network": account.network,
        "base_url": account.base_url,
        "account_id": None if whose == "app" else account.pk,
    }


def take(accounts: Iterable[ConnectedAccount], *, now: dt.datetime) -> None:
    """Count one call for each account, in its own bucket and in its app's.

    Networks that tell nothing have quotas; their buckets are opened here.
    """
    accounts = list(accounts)
    for account in accounts:
        for quota in get(account.network).abilities.quotas:
            _open(account, quota.whose, quota.calls, quota.seconds, now)
    running = Bucket.objects.filter(resets_at__gt=now)
    running.filter(account__in=accounts).update(left=F("left") - 1)
    hosts = Counter((account.network, account.base_url) for account in accounts)
    for (network, base_url), count in sorted(hosts.items()):
        running.filter(account__isnull=True, network=network, base_url=base_url).update(
            left=F("left") - count
        )


def _open(
    account: ConnectedAccount, whose: str, calls: int, seconds: int, now: dt.datetime
) -> None:
    """Begin a quota's window anew when the last one is over: at whole multiples, in UTC."""
    ends = (int(now.timestamp()) // seconds + 1) * seconds
    fresh = {"left": calls, "resets_at": dt.datetime.fromtimestamp(ends, dt.UTC)}
    key = _key(account, whose)
    if not Bucket.objects.filter(**key, resets_at__lte=now).update(**fresh):
        Bucket.objects.get_or_create(**key, defaults=fresh)


# Whether a host answers ----------------------------------------------------------------------


def failed(account: ConnectedAccount, *, now: dt.datetime) -> None:
    """The host gave no answer. Five in a row within half a minute open its circuit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_circuit AS c
                   (network, base_url, failures, failing_since)
            VALUES (%(network)s, %(base_url)s, 1, %(now)s)
            ON CONFLICT (network, base_url) DO UPDATE SET
              failures = CASE WHEN c.opened_at IS NULL AND c.failing_since < %(old)s
                              THEN 1 ELSE c.failures + 1 END,
              failing_since = CASE WHEN c.failures = 0
                                     OR (c.opened_at IS NULL AND c.failing_since < %(old)s)
                                   THEN %(now)s ELSE c.failing_since END,
              opened_at = CASE WHEN c.opened_at IS NULL AND c.failures + 1 >= %(most)s
                                AND c.failing_since >= %(old)s
                               THEN %(now)s ELSE c.opened_at END,
              probe_at = CASE WHEN c.opened_at IS NOT NULL OR c.failures + 1 >= %(most)s
                              THEN %(probe)s ELSE c.probe_at END
            """,
            {
                "network": account.network,
                "base_url": account.base_url,
                "now": now,
                "old": now - _WITHIN,
                "most": _OPEN_AFTER,
                "probe": now + _probe_every(),
            },
        )


def answered(account: ConnectedAccount) -> None:
    """The host answered, whatever it said: its circuit closes."""
    Circuit.objects.filter(
        network=account.network, base_url=account.base_url, failures__gt=0
    ).update(failures=0, failing_since=None, opened_at=None, probe_at=None)


def probes_due(*, now: dt.datetime) -> list[Circuit]:
    """Take the right to try each silent host once now; the next one comes in a minute."""
    return [
        circuit
        for circuit in Circuit.objects.filter(opened_at__isnull=False, probe_at__lte=now)
        if Circuit.objects.filter(pk=circuit.pk, probe_at=circuit.probe_at).update(
            probe_at=now + _probe_every()
        )
    ]


def _probe_every() -> dt.timedelta:
    return _PROBE_EVERY * settings.TIME_SCALE


def silent() -> dict[tuple[str, str], dt.datetime]:
    """Hosts that answer nothing, as ``(network, address)``, with the moment since when."""
    rows = Circuit.objects.filter(opened_at__isnull=False, failing_since__isnull=False)
    return {(row.network, row.base_url): row.failing_since for row in rows if row.failing_since}


# What a month may cost -----------------------------------------------------------------------


def budget(network: str, *, now: dt.datetime) -> Budget:
    """A paid network's budget of the month, opened with the operator's limit on first use."""
    micro = round(settings.MONTHLY_BUDGETS.get(network, 0) * 1_000_000)
    row, made = Budget.objects.get_or_create(
        network=network,
        month=_month(now),
        defaults={"limit": micro},
    )
    if not made and row.limit != micro:
        # Lowered below what is spent already, it stops right there.
        Budget.objects.filter(pk=row.pk).update(limit=Greatest(micro, F("spent")))
        row.refresh_from_db()
    return row


def spend(network: str, amount: int, *, now: dt.datetime) -> bool:
    """Take ``amount`` millionths of a dollar from the month; False when it is not there.

    A conditional UPDATE: two workers at once cannot spend the last dollar twice.
    """
    row = budget(network, now=now)
    with transaction.atomic():
        return bool(
            Budget.objects.filter(pk=row.pk, spent__lte=F("limit") - amount).update(
                spent=F("spent") + amount
            )
        )


def _month(now: dt.datetime) -> dt.date:
    return now.astimezone(dt.UTC).date().replace(day=1)


def give_back(network: str, amount: int, *, now: dt.datetime) -> None:
    """A send was proven not to have happened: its price returns to the month."""
    Budget.objects.filter(network=network, month=_month(now), spent__gte=amount).update(
        spent=F("spent") - amount
    )
