"""Nordwind Energie's newsroom: sources, rights to pictures, hashtags. Relative to now."""

import datetime as dt
import random

from ambassadors import consents
from ambassadors.models import Person
from campaigns import pictures
from campaigns.models import Picture, Topic
from integrations.feed_rows import Entry

from . import source_items, tags
from .models import Source, SourceRule, TagDay, TagReading

_HOST = "nordwind-energie.example"
_SOURCES = (
    (
        "Presse Nordwind",
        f"https://{_HOST}/presse/feed.xml",
        "feed",
        "wind-suederkoog",
        "employer_brand",
        "useful",
        "",
        "",
    ),
    (
        "Stellen bei Nordwind",
        f"https://karriere.{_HOST}/stellen.json",
        "jobs",
        "ausbildung-2027",
        "job_ad",
        "human",
        "",
        "",
    ),
    (
        "Deichbote",
        "https://deichbote.example/rss/energie",
        "feed",
        "deich",
        "third_party",
        "useful",
        "status",
        "503",
    ),
)
_ENTRIES = {
    "Presse Nordwind": (
        (
            "Turbine 14 dreht sich: Süderkoog ist vollständig",
            "Sechs Jahre nach dem ersten Plan läuft der Park.",
            "Windkraft",
            0,
        ),
        (
            "So bereitet die Leitstelle den Winter vor",
            "Drei Schichten, ein Plan für Eis und Sturm.",
            "Netz",
            2,
        ),
        ("212 Wohnungen, eine Wärmepumpe", "Die Altmühle heizt seit Montag ohne Gas.", "Wärme", 6),
    ),
    "Stellen bei Nordwind": (
        (
            "Elektroniker für Betriebstechnik (m/w/d)",
            "Ausbildung ab August 2027 in Lohe.",
            "Lohe",
            1,
        ),
        (
            "Fachkraft für Fernwärme (m/w/d)",
            "Quereinstieg willkommen, wir zeigen alles.",
            "Altmühle",
            3,
        ),
    ),
    "Deichbote": (
        (
            "Schafe, Deiche, Strom: ein Besuch im Koog",
            "Unsere Reporterin war einen Tag dabei.",
            "Region",
            4,
        ),
        ("Handball: HSG verliert knapp", "Ein Tor fehlte.", "Sport", 1),
    ),
}
_TAGS = {"WerkStolz": (14, 5), "NordwindTeam": (6, 2), "Fernwärme": (3, 1)}


def load(*, now: dt.datetime) -> None:
    """Load it for people, topics and pictures that are there already."""
    by = {person.email.split("@")[0]: person for person in Person.objects.all()}
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    _sources(by["mirja.thomsen"], topics, now)
    _pictures(by, now)
    _tags(by["mirja.thomsen"], now)


def _sources(keeper: Person, topics: dict[str, Topic], now: dt.datetime) -> None:
    for name, url, kind, topic, content_class, tone, why, detail in _SOURCES:
        tried = now - dt.timedelta(minutes=12)
        source = Source.objects.create(
            name=name,
            url=url,
            kind=kind,
            keeper=keeper,
            topic=topics[topic],
            content_class=content_class,
            tone=tone,
            added_at=now - dt.timedelta(days=40),
            tried_at=tried,
            read_at=tried - dt.timedelta(days=1) if why else tried,
            next_fetch_at=now + dt.timedelta(hours=8 if why else 3),
            failures=4 if why else 0,
            why=why,
            detail=detail,
        )
        if kind == "feed":
            SourceRule.objects.create(
                source=source, words="Wärme", topic=topics["waerme-altmuehle"]
            )
        if why:
            SourceRule.objects.create(source=source, words="Handball", skip=True)
        base = url.rsplit("/", 1)[0]
        entries = tuple(
            Entry(
                f"{base}/{n}", f"{base}/{n}", title, summary, (word,), now - dt.timedelta(days=days)
            )
            for n, (title, summary, word, days) in enumerate(_ENTRIES[name])
        )
        source_items.take_in(source=source, entries=entries, drafts=1, now=now)


def _pictures(by: dict[str, Person], now: dt.datetime) -> None:
    """Whose they are, until when, and who is on three of them."""
    mirja = by["mirja.thomsen"]
    for row in Picture.objects.library().order_by("pk"):
        row.title = row.alt_de.removeprefix("Zeichnung zum Thema ")
        row.made_by, row.licence = "Hanne Ketels", Picture.Licence.OWN
        row.save(update_fields=["title", "made_by", "licence"])
    shown = list(Picture.objects.library().order_by("pk")[:6])
    frauke, tarek = by["frauke.petersen"], by["tarek.yilmaz"]
    consents.give(person=frauke, purpose="photo", now=now)
    pictures.add_face(picture=shown[2], person=frauke, name="", until=None, by=mirja, now=now)
    day = now.date() + dt.timedelta(days=200)
    pictures.add_face(
        picture=shown[2], person=None, name="Ada Brandt", until=day, by=mirja, now=now
    )
    unused = Picture.objects.library().filter(suggestion=None).order_by("-pk").first()
    if unused:
        pictures.add_face(picture=unused, person=tarek, name="", until=None, by=mirja, now=now)
    pictures.cut(picture=shown[0], network="instagram", aspect="4:5", by=mirja, now=now)


def _tags(by: Person, now: dt.datetime) -> None:
    dice = random.Random(2711)  # noqa: S311 - equal data on every run
    last = now.date() - dt.timedelta(days=1)
    for name, (on_mastodon, on_bluesky) in _TAGS.items():
        tag = tags.watch(name=name, by=by, now=now - dt.timedelta(days=28))
        for network, usual in (("mastodon", on_mastodon), ("bluesky", on_bluesky)):
            TagReading.objects.create(tag=tag, network=network, read_at=now)
            TagDay.objects.bulk_create(
                TagDay(
                    tag=tag,
                    network=network,
                    day=last - dt.timedelta(days=back),
                    uses=max(0, int(dice.gauss(usual + (28 - back) / 7, usual / 2))),
                )
                for back in range(28)
            )
