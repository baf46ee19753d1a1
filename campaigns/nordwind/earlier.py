"""What Nordwind posted in the three months that are over, so that there are months to tell."""

import datetime as dt
import itertools
import json
from typing import Any

from ambassadors.memberships import later
from ambassadors.models import Person
from campaigns import disclosure, wording
from campaigns.models import Post, Suggestion, Variant
from integrations.networks import get

from . import posts
from .company import HERE, Company

_NETWORKS = ("linkedin", "mastodon", "bluesky", "linkedin", "mastodon", "x")
_MONTHS = 3


def months(company: Company) -> None:
    """Suggestions whose time is over, and what people made of them."""
    rows: dict[str, Any] = json.loads((HERE / "earlier.json").read_text(encoding="utf-8"))
    combined = [f"{a} {b}" for a, b in itertools.product(rows["openings"], rows["turns"])]
    company.dice.shuffle(combined)
    sentences = iter(combined)
    people = [person for person in company.people.values() if person.welcome == 0]
    people, practising = people[:42], people[42:50]
    for back in range(_MONTHS, 0, -1):
        first = later(company.now.date().replace(day=1), -back)
        shelf = [_suggestion(company, row, first, back) for row in rows["suggestions"]]
        for person in people:
            for variant in company.dice.sample(shelf, company.dice.choice((2, 2, 3))):
                text = _text(company, variant, rows["touches"], sentences)
                _post(company, person, variant, text, first, company.dice.choice(_NETWORKS))
    for person, variant in zip(practising, shelf, strict=False):
        _post(company, person, variant, variant.text, first, "wall")


def _suggestion(company: Company, row: dict[str, Any], first: dt.date, back: int) -> Variant:
    """One of a month, approved on its first days and over since."""
    at = dt.datetime.combine(first, dt.time(8, 20), company.now.tzinfo)
    mirja, dilan = (
        company.people[f"{name}@nordwind-energie.example"]
        for name in ("mirja.thomsen", "dilan.kaya")
    )
    made = Suggestion.objects.create(
        slug=f"{row['slug']}-{back}", topic=company.topics[row["topic"]], title=row["title"],
        why="", language="de", content_class="employer_brand", tone=row["tone"],
        link_url=f"https://nordwind-energie.example/{row['slug']}", link_title=row["title"],
        state="approved", author=dilan, approved_by=mirja, approved_at=at, changed_at=at,
        changed_by=dilan, expires_at=at + dt.timedelta(days=27),
    )  # fmt: skip
    return Variant.objects.create(
        suggestion=made, name="Sachlich", language="de", text=row["text"], position=0
    )


def _text(
    company: Company, variant: Variant, touches: list[str], sentences: "itertools.chain[str] | Any"
) -> str:
    """Half in own words, the others close to the draft or word for word."""
    kind = company.dice.random()
    if kind < 0.45 and (own := next(sentences, "")):
        return f"{own} {variant.text.rsplit('. ', 1)[-1]}"
    return f"{variant.text} {company.dice.choice(touches)}" if kind < 0.72 else variant.text


def _post(
    company: Company,
    person: Person,
    variant: Variant,
    text: str,
    first: dt.date,
    network: str,
) -> None:
    dice, suggestion = company.dice, variant.suggestion
    at = dt.datetime.combine(
        first + dt.timedelta(days=dice.randrange(2, 27)),
        dt.time(dice.randrange(8, 18), dice.randrange(60)),
        company.now.tzinfo,
    )
    published = get(network).abilities.can_publish and network != "x"
    label = disclosure.label_for(suggestion, network, "de", disclosure.country_of(person))
    full = disclosure.complete(text, label, "")
    own = wording.voice(variant.text, text).percent
    answered = dice.choice((0, 1, 1, 2, 3) if own >= wording.OWN_FROM else (0, 0, 0, 1, 1))
    post = Post.objects.create(
        person=person, suggestion=suggestion, variant=variant, network=network,
        how="published" if published else "copied", submission=company.key(),
        text=text, full_text=full, language="de", draft=variant.text, own_share=own,
        sha256=wording.fingerprint(full), disclosure_label=label.text,
        disclosure_version=label.version, content_class=suggestion.content_class,
        suggestion_revision=suggestion.revision, created_at=at,
        link=posts.clicked(company, suggestion, network, at),
        likes=dice.randrange(3, 30) if published else None,
        reposts=dice.randrange(4) if published else None,
        replies=answered + dice.randrange(3) if published else None,
        conversations=answered if published else None,
        measured_at=at + dt.timedelta(days=5) if published else None,
    )  # fmt: skip
    if published:
        posts.sent(company, post, at)
