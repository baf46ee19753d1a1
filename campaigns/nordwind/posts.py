"""What Nordwind's people posted, with what came back, and what they have planned."""

import datetime as dt
import hashlib
from typing import Any

from ambassadors.models import Note, Person
from campaigns import disclosure, links, wording
from campaigns.models import (
    ClickDay,
    Delivery,
    Post,
    Programme,
    Reading,
    ShortLink,
    Suggestion,
    Variant,
)
from integrations.models import ConnectedAccount, WallPost
from integrations.networks import get
from integrations.networks.bluesky import make_tid

from .company import Company, read

# What nine people have to say about a building site at noon.
_NOONS = (
    "Ich habe die Kabel gezogen, Meter für Meter.",
    "Mein Platz war im Container, am Telefon.",
    "Ich war nur zu Besuch und hatte danach drei Tage Wind in den Ohren.",
    "Von mir sind die Fundamentpläne, die keiner sieht.",
    "Meine Schicht begann um vier.",
    "Ich habe mit den Nachbarn geredet, oft und lange.",
    "Am Ende habe ich den Schalter nicht gedrückt, aber danebengestanden.",
    "Mein Vater hat gefragt, ob das jetzt unser Strom ist.",
    "Ich habe gerechnet, bis die Statik stimmte.",
)


def history(company: Company) -> None:
    """Posts with what came back, notes, and the practice wall."""
    for row in read("posts"):
        _post(company, row)
    for row in read("notes"):
        Note.objects.create(
            person=company.people[row["person"]],
            text=row["text"],
            created_at=company.ago(row["days_ago"]),
        )
    for row in read("wall"):
        person = company.people[row["person"]]
        WallPost.objects.create(
            account=company.walls[person.pk],
            key=company.key(),
            text=row["text"],
            likes=row.get("likes", 0),
            created_at=company.ago(row["days_ago"]),
        )


def _post(company: Company, row: dict[str, Any]) -> None:
    """One past post; published ones stand on the practice wall or a past account."""
    person, suggestion = company.people[row["person"]], company.suggestions[row["suggestion"]]
    variant = max(
        suggestion.variant_set.all(),
        key=lambda v: -wording.voice(v.text, row["text"]).percent,
    )
    country = disclosure.country_of(person)
    label = disclosure.label_for(suggestion, row["network"], variant.language, country)
    at = company.ago(row["days_ago"], row["hour"])
    published = row["how"] == "published" and get(row["network"]).abilities.can_publish
    figures = row.get("figures") or {} if published else {}
    link = clicked(company, suggestion, row["network"], at)
    full = disclosure.complete(row["text"], label, "")
    post = Post.objects.create(
        person=person,
        suggestion=suggestion,
        variant=variant,
        network=row["network"],
        how=row["how"] if published or row["how"] != "published" else "opened",
        submission=company.key(),
        text=row["text"],
        full_text=full,
        language=variant.language,
        draft=variant.text,
        own_share=wording.voice(variant.text, row["text"]).percent,
        sha256=wording.fingerprint(full),
        disclosure_label=label.text,
        disclosure_version=label.version,
        content_class=suggestion.content_class,
        country=country,
        suggestion_revision=suggestion.revision,
        link=link,
        created_at=at,
        likes=figures.get("likes"),
        reposts=figures.get("reposts"),
        replies=figures.get("replies"),
        measured_at=company.now if figures else None,
    )
    if published:
        sent(company, post, at)


def clicked(
    company: Company, suggestion: Suggestion, network: str, at: dt.datetime
) -> ShortLink | None:
    """The link of a past post; most people come on its first day, and fewer on each after."""
    if not suggestion.link_url:
        return None
    link = ShortLink.objects.create(
        code=f"n{company.dice.getrandbits(40):x}"[:12],
        target=suggestion.link_url,
        tags=links.tags(suggestion, network),
        clicks=company.dice.randrange(0, 40),
    )
    day, today, left = at.date(), company.now.date(), link.clicks
    while left:
        count = left if day == today else (left + 1) // 2
        ClickDay.objects.create(link=link, day=day, count=count)
        day, left = day + dt.timedelta(days=1), left - count
    return link


def sent(company: Company, post: Post, at: dt.datetime) -> None:
    """The delivery of a past post, and one reading; it is not measured again."""
    account = _account(company, post)
    key = company.key()
    remote = f"past-{key}"
    Delivery.objects.create(
        post=post,
        account=account,
        key=key,
        rkey=make_tid(int(at.timestamp() * 1e6), company.dice.getrandbits(10)),
        written_at=at,
        due_at=at,
        not_after=at + dt.timedelta(days=1),
        state="sent",
        remote_id=remote,
        sent_at=at,
    )
    Reading.objects.create(
        post=post,
        read_at=company.now,
        likes=post.likes,
        reposts=post.reposts,
        replies=post.replies,
    )


def planned(company: Company) -> None:
    """Posts that people have set for the coming days, on the practice wall."""
    live = [s for s in company.suggestions.values() if s.is_live(company.now)][:5]
    own = "Mein Satz dazu kommt morgens, mit Kaffee."
    for index, person in enumerate(list(company.people.values())[5:21]):
        variant = live[index % len(live)].variant_set.all()[0]
        text = wording.GAP.sub(own, variant.text)
        post = _text_of(company, person, variant, text)
        due_at = (company.now + dt.timedelta(days=1 + index % 4)).replace(
            hour=(6, 8, 10, 11)[index % 4], minute=15
        )
        _wait(company, post, due_at)


def pile(company: Company) -> None:
    """Nine who speak on one topic at one noon; most of them left the moment to Botschaft."""
    variant = next(
        s for s in company.suggestions.values() if s.is_live(company.now)
    ).variant_set.all()[0]
    day = (company.now + dt.timedelta(days=1)).date()
    while day.weekday() > 4:
        day += dt.timedelta(days=1)
    noon = dt.datetime.combine(day, dt.time(12, 15), Programme.the().zone)
    for index, person in enumerate(list(company.people.values())[21:30]):
        post = _text_of(company, person, variant, wording.GAP.sub(_NOONS[index], variant.text))
        _wait(company, post, noon, movable=index % 4 > 0)


def _wait(company: Company, post: Post, due_at: dt.datetime, *, movable: bool = False) -> None:
    """Let a post wait for its moment on its person's practice wall."""
    Delivery.objects.create(
        post=post,
        account=company.walls[post.person_id],
        rkey=make_tid(int(due_at.timestamp() * 1e6), company.dice.getrandbits(10)),
        written_at=company.now,
        due_at=due_at,
        movable=movable,
        not_after=due_at + dt.timedelta(days=1),
    )


def _text_of(company: Company, person: Person, variant: Variant, text: str) -> Post:
    """A post for the practice wall, as the composer would write it."""
    country = disclosure.country_of(person)
    label = disclosure.label_for(variant.suggestion, "wall", variant.language, country)
    full = disclosure.complete(text, label, "")
    return Post.objects.create(
        person=person,
        suggestion=variant.suggestion,
        variant=variant,
        network="wall",
        how=Post.How.PUBLISHED,
        submission=company.key(),
        text=text,
        full_text=full,
        language=variant.language,
        draft=variant.text,
        own_share=wording.voice(variant.text, text).percent,
        sha256=wording.fingerprint(full),
        disclosure_label=label.text,
        disclosure_version=label.version,
        content_class=variant.suggestion.content_class,
        country=country,
        suggestion_revision=variant.suggestion.revision,
        created_at=company.now,
    )


def _account(company: Company, post: Post) -> ConnectedAccount:
    """The practice wall, or an account the person has disconnected since."""
    if post.network == "wall":
        return company.walls[post.person_id]
    digest = hashlib.sha256(f"{post.network}{post.person_id}".encode()).hexdigest()[:12]
    return ConnectedAccount.objects.get_or_create(
        person=post.person,
        network=post.network,
        remote_id=digest,
        defaults={
            "base_url": "https://norden.example",
            "handle": f"@{post.person.first_name.lower()}@norden.example",
            "connected_at": company.ago(90),
            "disconnected_at": company.ago(1),
        },
    )[0]
