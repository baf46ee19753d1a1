"""Rows for a run, in bulk: people with consents and accounts, topics, posts that wait.

Written as the product's verbs write them, only many at a time; sending is the product's.
"""

import datetime as dt
import hashlib
import itertools
import random
import uuid
from collections.abc import Sequence

from django.utils import timezone

from ambassadors import consents
from ambassadors.models import Consent, Person, Role
from campaigns.models import Delivery, Post, Programme, Suggestion, Topic, Variant
from integrations import sealing
from integrations.models import ConnectedAccount, Token
from integrations.networks.bluesky import make_tid

from .stage import Host
from .words import WORDS

FAR = dt.timedelta(days=30)  # due then: not in this run unless made due
_numbers = itertools.count(1)


def people(count: int, *roles: str) -> list[Person]:
    """People who allow publishing and reading figures."""
    made = Person.objects.bulk_create(
        [_person(next(_numbers)) for _ in range(count)], batch_size=2000
    )
    Role.objects.bulk_create(Role(person=who, name=role) for who in made for role in roles)
    now = timezone.now()
    Consent.objects.bulk_create(
        (
            Consent(person=who, purpose=purpose, version=version, wording=wording, given_at=now)
            for who in made
            for purpose, (version, wording) in consents.WORDINGS.items()
            if purpose in {"publish", "engagement"}
        ),
        batch_size=2000,
    )
    return made


def _person(number: int) -> Person:
    email = f"person{number}@example.org"
    return Person(
        email=email,
        email_normalised=email,
        name=f"Person {number}",
        language="en",
        password="!",  # noqa: S106 - no login by password
        welcome=0,
    )


def accounts(owners: Sequence[Person], host: Host) -> list[ConnectedAccount]:
    """One account for each person at a pretended network."""
    opened = host.tell(f"accounts {len(owners)}")
    now = timezone.now()
    made = ConnectedAccount.objects.bulk_create(
        (
            ConnectedAccount(
                person=who,
                network=host.name,
                base_url=host.base_url,
                remote_id=remote_id,
                handle=f"@{remote_id}",
                features=features,
                connected_at=now,
            )
            for who, (remote_id, _secrets, features) in zip(owners, opened, strict=True)
        ),
        batch_size=2000,
    )
    sealed = []
    for account, (_remote_id, secrets, _features) in zip(made, opened, strict=True):
        context = {"provider": account.network, "account_id": str(account.pk), "kind": "token"}
        text, key = sealing.seal(secrets, context=context)
        sealed.append(Token(account=account, sealed=text, key_id=key))
    Token.objects.bulk_create(sealed, batch_size=2000)
    return made


def suggestions(count: int) -> list[Suggestion]:
    """Approved suggestions, each on a topic of its own."""
    Programme.the()
    author, approver = people(2, "curator")
    now = timezone.now()
    made = []
    for _ in range(count):
        number = next(_numbers)
        topic = Topic.objects.create(
            slug=f"topic-{number}", title=f"Topic {number}", language="en", rule="Tell it.",
            light_since=now,
        )  # fmt: skip
        suggestion = Suggestion.objects.create(
            topic=topic, title=f"Suggestion {number}", language="en", author=author,
            state="approved", approved_by=approver, approved_at=now, changed_at=now,
        )  # fmt: skip
        Variant.objects.create(
            suggestion=suggestion, name="Personal", language="en", text=_text(number)
        )
        made.append(suggestion)
    return made


def _text(number: int) -> str:
    words = random.Random(number).choices(WORDS, k=25)  # noqa: S311 - the same in every run
    return f"Post {number}: {' '.join(words)}."


def posts(
    among: Sequence[ConnectedAccount],
    about: Sequence[Suggestion],
    *,
    count: int | None = None,
    due_at: Sequence[dt.datetime] | None = None,
    lasts: Sequence[dt.timedelta] | None = None,
) -> list[Delivery]:
    """Posts in turn over accounts and suggestions; due far in the future unless told.

    ``lasts``: how long after it is due each may still leave; a day unless told.
    """
    now = timezone.now()
    count = len(among) if count is None else count
    due = due_at or [now + FAR] * count
    last = lasts or [dt.timedelta(days=1)] * count
    written = []
    for number in range(count):
        account, suggestion = among[number % len(among)], about[number % len(about)]
        text = _text(next(_numbers))
        written.append(
            Post(
                person=account.person,
                suggestion=suggestion,
                network=account.network,
                how=Post.How.PUBLISHED,
                submission=uuid.uuid4(),
                text=text,
                full_text=text,
                language="en",
                own_share=100,
                sha256=hashlib.sha256(text.encode()).hexdigest(),
                created_at=now,
            )
        )
    Post.objects.bulk_create(written, batch_size=2000)
    stamp = int(now.timestamp() * 1_000_000)
    return Delivery.objects.bulk_create(
        (
            Delivery(
                post=post,
                account=among[number % len(among)],
                rkey=make_tid(stamp + next(_numbers), number & 0x3FF),
                written_at=now,
                due_at=due[number],
                not_after=due[number] + last[number],
            )
            for number, post in enumerate(written)
        ),
        batch_size=2000,
    )
