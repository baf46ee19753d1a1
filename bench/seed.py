"""Three years of a company, in bulk: suggestions, posts, readings, clicks, proofs.

The database multiplies rows that the product's models wrote once, so a new column needs nothing
here; every choice is a hash of the row's number, equal in every run. That is several times as
fast as COPY of rows made elsewhere. Triggers and foreign keys rest meanwhile, indexes are built
at the end.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, models
from django.utils import timezone

from ambassadors.models import Consent, Membership, Person, Team, TeamKind
from campaigns.models import (
    Attempt,
    ClickDay,
    Delivery,
    Evidence,
    Post,
    Programme,
    Reading,
    ShortLink,
    Suggestion,
    Topic,
    Transition,
    Variant,
)
from integrations.models import ConnectedAccount

from . import load

YEARS = dt.timedelta(days=3 * 365)
READINGS, CLICK_DAYS, WORDINGS = 12, 2, 3  # of each post, of each link, of each suggestion
SUGGESTED = 100 / 3  # posts of a suggestion
_LATE = "2147483647"  # the largest number that fits; hashes become shares of it


@dataclass(frozen=True, slots=True)
class Company:
    """Who is there before any history."""

    people: range
    ambassadors: range
    accounts: range
    topics: range
    curator: Person


def pick(count: int, salt: int, skew: float = 1) -> str:
    """SQL for one of ``count`` numbers from 0, by a hash of n; with skew the low ones often."""
    share = f"(hashint8extended(n, {salt}) & {_LATE}) / ({_LATE} + 1.0)"
    return f"floor({count} * power({share}, {skew}))::bigint"


def multiply(template: models.Model, count: int, /, **columns: str) -> range:
    """Write ``count`` rows like the template, but for columns that are SQL of ``n`` from 0."""
    meta = template._meta  # noqa: SLF001 - Django documents it
    table = meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT coalesce(max(id), 0) + 1 FROM "{table}"')
        first = int(cursor.fetchone()[0])
        values = {f.column: f't."{f.column}"' for f in meta.local_concrete_fields}
        values |= {"id": f"{first} + n"} | columns
        names = ", ".join(f'"{name}"' for name in values)
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values.values())}'
            f' FROM "{table}" t, generate_series(0, {count - 1}::bigint) n WHERE t.id = {template.pk}'
        )
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {first + count})")
    return range(first, first + count)


@contextmanager
def in_bulk(*kinds: type[models.Model]) -> Iterator[None]:
    """Without triggers and indexes of these tables; the indexes are built again at the end."""
    tables = [kind._meta.db_table for kind in kinds]  # noqa: SLF001 - as above
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indrelid WHERE NOT i.indisunique AND c.relname = ANY(%s)",
            [tables],
        )
        indexes = cursor.fetchall()
        for name, _made in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        yield
        for _name, made in indexes:
            cursor.execute(made)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE")


def company(people: int) -> Company:
    """People, a tenth of them ambassadors with consents, accounts and teams; topics."""
    Programme.the()
    now = timezone.now()
    first, curator = load.people(2, "curator")
    email = "'p' || n || '@seed.example'"
    kind = TeamKind.objects.create(slug="seed", behaviour="plain", name_de="K", name_en="K")
    team = Team.objects.create(slug="seed", name="Team", kind=kind)
    member = Membership.objects.create(
        person=first, team=team, stage="active", stage_since_on=now, started_on=now
    )
    account = ConnectedAccount.objects.create(
        person=first, network="mastodon", base_url="https://mastodon.example", remote_id="first",
        handle="@0", features={}, connected_at=now,
    )  # fmt: skip
    consents = [*Consent.objects.filter(person=first)]
    active = people // 10
    with in_bulk(Person, Membership, ConnectedAccount, Consent):
        made = multiply(
            first, people, email=email, email_normalised=email, name="'Person ' || n",
            evidence_key="md5('person' || n)::uuid",
        )  # fmt: skip
        who = f"{made.start} + n"
        teams = multiply(team, max(people // 500, 2), slug="'team' || n", name="'Team ' || n")
        multiply(member, active, person_id=who, team_id=f"{teams.start} + n % {len(teams)}")
        accounts = multiply(account, active, person_id=who, remote_id="n::text", handle="'@' || n")
        for consent in consents:
            multiply(consent, active, person_id=who)
        topic = Topic.objects.create(
            slug="t", title="Topic", rule="Tell it.", language="en", light_since=now
        )
        topics = multiply(topic, 200, slug="'seeded-' || n", title="'Topic ' || n")
    return Company(made, range(made.start, made.start + active), accounts, topics, curator)


def history(house: Company, posts: int) -> None:
    """Suggestions and posts over three years until now, with all that belongs to them."""
    now = timezone.now()
    begin = f"timestamptz '{(now - YEARS).isoformat()}'"
    every = f"interval '{YEARS.total_seconds()} seconds'"
    kinds = (
        Suggestion, Variant, ShortLink, ClickDay, Post, Reading, Evidence, Delivery, Attempt,
        Transition,
    )  # fmt: skip
    (line,) = load.suggestions(1)
    (row,) = load.posts([ConnectedAccount.objects.get(pk=house.accounts.start)], [line], count=1)
    with in_bulk(*kinds):
        number = max(round(posts / SUGGESTED), 1)
        at = f"{begin} + {every} * (n / {number}.0)"
        offered = multiply(
            line, number, topic_id=f"{house.topics.start} + {pick(len(house.topics), 1)}",
            title="'Suggestion ' || n || ' ' || substr(md5(n::text), 1, 8)",
            approved_at=at, changed_at=at, expires_at=f"{at} + interval '36 hours'",
        )  # fmt: skip
        multiply(
            line.variant_set.get(), number * WORDINGS,
            suggestion_id=f"{offered.start} + n / {WORDINGS}",
            text="'Wording ' || n || '. ' || t.text || ' ' || md5(n::text)",
        )  # fmt: skip
        _posts(house, row, offered, posts, begin, every)


def _posts(
    house: Company, row: Delivery, offered: range, posts: int, begin: str, every: str
) -> None:
    """Posts with links and clicks, readings and proofs; two in five went out by Botschaft."""
    at = f"{begin} + {every} * (n / {posts}.0)"
    linked = ShortLink.objects.aggregate(models.Max("pk", default=0))["pk__max"]
    link = ShortLink.objects.create(code=f"seed{linked}", target="https://example.org/")
    clicks = [f"(n / {5**day}) % 5 + 1" for day in range(CLICK_DAYS)]
    links = multiply(link, posts, code=f"to_hex({linked} + n)", clicks=" + ".join(clicks))
    day = ClickDay.objects.create(link=link, day=timezone.localdate(), count=1)
    for later, count in enumerate(clicks):
        multiply(
            day, posts, link_id=f"{links.start} + n",
            day=f"({at})::date + {later}", count=count,
        )  # fmt: skip
    author = f"{pick(len(house.ambassadors), 2, 1.3)}"
    near = f"greatest(n * {len(offered)} / {posts} - {pick(30, 3)}, 0)"
    published = "n % 5 < 2"
    written = multiply(
        row.post, posts,
        person_id=f"{house.ambassadors.start} + {author}",
        suggestion_id=f"{offered.start} + {near}",
        network=f"CASE WHEN {published} THEN 'mastodon' ELSE 'linkedin' END",
        how=f"CASE WHEN {published} THEN 'published' ELSE 'copied' END",
        submission=f"md5('{links.start}' || n)::uuid",
        link_id=f"{links.start} + n", created_at=at, measured_at=at,
        text="t.text || ' ' || md5(n::text)", draft="t.text", own_share=pick(100, 4),
        runs="decode(repeat(md5(n::text), 18), 'hex')",
        bands=f"ARRAY(SELECT (hashint8extended(n, k) & {_LATE})::int FROM generate_series(1, 24) k)",
        likes=pick(40, 5, 3), reposts=pick(9, 6, 3), replies=pick(9, 7, 3),
    )  # fmt: skip
    reading = Reading.objects.create(post=row.post, read_at=timezone.now(), likes=1)
    multiply(
        reading, posts * READINGS, post_id=f"{written.start} + n / {READINGS}",
        read_at=f"{begin} + {every} * (n / {posts * READINGS}.0) + interval '1 hour' * (n % {READINGS})",
        likes=f"n % {READINGS}",
    )  # fmt: skip
    sent = posts * 2 // 5
    post = f"{written.start} + n / 2 * 5 + n % 2"
    at_sent = f"{begin} + {every} * (n / {sent}.0)"
    # the account is the author's: the same hash of the post's own number
    own = author.replace("(n,", "(n / 2 * 5 + n % 2,")
    multiply(
        row, sent, post_id=post, account_id=f"{house.accounts.start} + {own}",
        key=f"md5('key{written.start}' || n)::uuid", rkey="lpad(n::text, 13, '0')",
        written_at=at_sent, due_at=at_sent, not_after=f"{at_sent} + interval '1 day'",
        state="'sent'", remote_id="'r' || n", sent_at=at_sent, first_tried_at=at_sent,
    )  # fmt: skip
    _ways(row, sent, at_sent)
    multiply(_proof(row.post), posts, post_number=f"{written.start} + n", left_at=at, kept_at=at)


def _ways(row: Delivery, sent: int, at: str) -> None:
    """The tries and turns of the deliveries written last."""
    now = timezone.now()
    last = Delivery.objects.aggregate(models.Max("pk"))["pk__max"]
    attempt = Attempt.objects.create(
        delivery=row, fence=1, began_at=now, ended_at=now, outcome="sent"
    )
    turn = Transition.objects.create(
        delivery=row, source="queued", target="sending", fence=1, at=now
    )
    delivery = f"{last - sent + 1} + n"
    multiply(attempt, sent, delivery_id=delivery, began_at=at, ended_at=at)
    multiply(turn, sent, delivery_id=delivery, at=at)
    multiply(turn, sent, delivery_id=delivery, at=at, source="'sending'", target="'sent'")


def _proof(post: Post) -> Evidence:
    """A proof as the trigger writes it."""
    now = timezone.now()
    return Evidence.objects.create(
        post_number=post.pk, author_key=post.person.evidence_key, event="copied",
        network=post.network, language="en", part=0, text=post.full_text, rule_version=0,
        suggestion_revision=1, approvals=[], left_at=now, kept_at=now,
        keep_until=now.date().replace(year=now.year + 3), sha256=post.sha256,
    )  # fmt: skip
