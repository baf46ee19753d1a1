"""What Nordwind posted in the three months that are over, so that there are months to tell."""

import datetime as dt
import itertools
import uuid
from typing import TYPE_CHECKING, Any

from ambassadors.memberships import later
from campaigns import disclosure, wording
from campaigns.models import Post, Suggestion, Variant
from integrations.networks import get

if TYPE_CHECKING:
    from ambassadors.models import Person

    from .load import Loader

_NETWORKS = ("linkedin", "mastodon", "bluesky", "linkedin", "mastodon", "x")
_MONTHS = 3


def load(loader: "Loader", rows: dict[str, Any]) -> None:
    """Suggestions whose time is over, and what people made of them."""
    combined = [f"{a} {b}" for a, b in itertools.product(rows["openings"], rows["turns"])]
    loader.dice.shuffle(combined)
    sentences = iter(combined)
    people = [person for person in loader.people.values() if person.welcome == 0]
    people, practising = people[:42], people[42:50]
    for back in range(_MONTHS, 0, -1):
        first = later(loader.now.date().replace(day=1), -back)
        shelf = [_suggestion(loader, row, first, back) for row in rows["suggestions"]]
        for person in people:
            for variant in loader.dice.sample(shelf, loader.dice.choice((2, 2, 3))):
                text = _text(loader, variant, rows["touches"], sentences)
                _post(loader, person, variant, text, first, loader.dice.choice(_NETWORKS))
    for person, variant in zip(practising, shelf, strict=False):
        _post(loader, person, variant, variant.text, first, "wall")


def _suggestion(loader: "Loader", row: dict[str, Any], first: dt.date, back: int) -> Variant:
    """One of a month, approved on its first days and over since."""
    at = dt.datetime.combine(first, dt.time(8, 20), loader.now.tzinfo)
    mirja, dilan = (
        loader.people[f"{name}@nordwind-energie.example"]
        for name in ("mirja.thomsen", "dilan.kaya")
    )
    made = Suggestion.objects.create(
        slug=f"{row['slug']}-{back}", topic=loader.topics[row["topic"]], title=row["title"],
        why="", language="de", content_class="employer_brand", tone=row["tone"],
        link_url=f"https://nordwind-energie.example/{row['slug']}", link_title=row["title"],
        state="approved", author=dilan, approved_by=mirja, approved_at=at, changed_at=at,
        changed_by=dilan, expires_at=at + dt.timedelta(days=27),
    )  # fmt: skip
    return Variant.objects.create(
        suggestion=made, name="Sachlich", language="de", text=row["text"], position=0
    )


def _text(
    loader: "Loader", variant: Variant, touches: list[str], sentences: "itertools.chain[str] | Any"
) -> str:
    """Half in own words, the others close to the draft or word for word."""
    kind = loader.dice.random()
    if kind < 0.45 and (own := next(sentences, "")):
        return f"{own} {variant.text.rsplit('. ', 1)[-1]}"
    return f"{variant.text} {loader.dice.choice(touches)}" if kind < 0.72 else variant.text


def _post(
    loader: "Loader",
    person: "Person",
    variant: Variant,
    text: str,
    first: dt.date,
    network: str,
) -> None:
    dice, suggestion = loader.dice, variant.suggestion
    at = dt.datetime.combine(
        first + dt.timedelta(days=dice.randrange(2, 27)),
        dt.time(dice.randrange(8, 18), dice.randrange(60)),
        loader.now.tzinfo,
    )
    published = get(network).abilities.can_publish and network != "x"
    label = disclosure.label_for(suggestion, network, "de", disclosure.country_of(person))
    full = disclosure.complete(text, label, "")
    own = wording.voice(variant.text, text).percent
    answered = dice.choice((0, 1, 1, 2, 3) if own >= wording.OWN_FROM else (0, 0, 0, 1, 1))
    post = Post.objects.create(
        person=person, suggestion=suggestion, variant=variant, network=network,
        how="published" if published else "copied", submission=uuid.UUID(int=dice.getrandbits(128)),
        text=text, full_text=full, language="de", draft=variant.text, own_share=own,
        sha256=wording.fingerprint(full), disclosure_label=label.text,
        disclosure_version=label.version, content_class=suggestion.content_class,
        suggestion_revision=suggestion.revision, created_at=at,
        link=loader.clicked(suggestion, network, at),
        likes=dice.randrange(3, 30) if published else None,
        reposts=dice.randrange(4) if published else None,
        replies=answered + dice.randrange(3) if published else None,
        conversations=answered if published else None,
        measured_at=at + dt.timedelta(days=5) if published else None,
    )  # fmt: skip
    if published:
        loader.sent(post, at)
