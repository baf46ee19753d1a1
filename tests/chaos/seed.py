"""People, accounts, topics and due deliveries, many at a time."""

import datetime as dt
import hashlib
import itertools
import uuid

from django.utils import timezone

TOPICS = 8


def seed(fleet, count, *, spread=0.0, lead=1.0, hasty=0.0):
    """Make ``count`` deliveries, alike over networks and accounts, due within ``spread`` seconds.

    The first is due in ``lead`` seconds; the share ``hasty`` ends 4 s after its moment. May be called again: people and accounts stay.
    """
    from campaigns.models import Delivery, Post

    begin = timezone.now() + dt.timedelta(seconds=lead)
    people, suggestions = accounts(fleet), _suggestions()
    posts, deliveries = [], []
    turns = zip(range(count), itertools.cycle(people), strict=False)
    for number, account in turns:
        key = uuid.uuid4()
        suggestion = suggestions[number % len(suggestions)]
        text = f"Nordwind, Zeile {key.hex}, aus unserem Alltag."
        now = timezone.now()
        posts.append(
            Post(
                person_id=account.person_id, suggestion=suggestion, network=account.network,
                how="published", submission=key, text=text, full_text=text, language="de",
                own_share=100, sha256=hashlib.sha256(text.encode()).hexdigest(), created_at=now,
            )
        )  # fmt: skip
        due_at = begin + dt.timedelta(seconds=spread * number / count)
        deliveries.append(
            Delivery(
                account=account, key=key, rkey=_rkey(now, number), written_at=now, due_at=due_at,
                not_after=due_at + dt.timedelta(seconds=4 if fleet.dice.random() < hasty else 3600),
            )
        )  # fmt: skip
    for delivery, post in zip(deliveries, Post.objects.bulk_create(posts, 500), strict=True):
        delivery.post = post
    return Delivery.objects.bulk_create(deliveries, 500)


def _rkey(now, number):
    from integrations.networks.bluesky import make_tid

    return make_tid(int(now.timestamp() * 1_000_000) + number, number)


def accounts(fleet):
    """All accounts, one after the other from each network; made on the first call."""
    from ambassadors.models import Consent, Person
    from integrations import sealing
    from integrations.models import ConnectedAccount, Token

    now = timezone.now()
    if not ConnectedAccount.objects.exists():
        people = [
            Person(
                email=f"p{n}@nordwind.example", email_normalised=f"p{n}@nordwind.example",
                name=f"Person {n}", password="!",
            )
            for n in range(fleet.accounts)
        ]  # fmt: skip
        people = Person.objects.bulk_create(people, 500)
        Consent.objects.bulk_create(
            Consent(person=person, purpose="publish", version="1", wording="Ja.", given_at=now)
            for person in people
        )
        rows = [
            ConnectedAccount(
                person=person, network=name, base_url=told["base_url"], handle=f"@{name}{number}",
                remote_id=told["accounts"][number]["remote_id"], connected_at=now,
                features=told["accounts"][number]["features"],
            )
            for name, told in fleet.told.items()
            for number, person in enumerate(people)
        ]  # fmt: skip
        tokens = []
        for account in ConnectedAccount.objects.bulk_create(rows, 500):
            number = int(account.handle.removeprefix(f"@{account.network}"))
            context = {
                "provider": account.network, "account_id": str(account.pk), "kind": "token",
            }  # fmt: skip
            given = fleet.told[account.network]["accounts"][number]["secrets"]
            sealed, key = sealing.seal(given, context=context)
            tokens.append(Token(account=account, sealed=sealed, key_id=key))
        Token.objects.bulk_create(tokens, 500)
    return sorted(ConnectedAccount.objects.all(), key=lambda a: (a.person_id, a.pk))


def _suggestions():
    """One approved suggestion on each of the topics."""
    from ambassadors.models import Person
    from campaigns.models import Programme, Suggestion, Topic

    if not Suggestion.objects.exists():
        now, author = timezone.now(), Person.objects.order_by("pk")[0]
        Programme.the()
        for number in range(TOPICS):
            topic = Topic.objects.create(
                slug=f"topic-{number}", title=f"Topic {number}", rule="Tell it.", light_since=now
            )
            Suggestion.objects.create(
                topic=topic, title=f"Suggestion {number}", author=author, state="approved",
                approved_by=author, approved_at=now, changed_at=now,
            )  # fmt: skip
    return list(Suggestion.objects.order_by("pk"))


def curator():
    """A signed-in curator: the cookies of their browser."""
    from django.conf import settings
    from django.test import Client

    from ambassadors.models import Person, Role

    person = Person.objects.create_user("curator@nordwind.example", name="Mirja Thomsen")
    Role.objects.create(person=person, name="curator")
    browser = Client()
    browser.force_login(person)
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return person, {settings.SESSION_COOKIE_NAME: session, "csrftoken": "c" * 32}
