"""Nordwind Energie's reception: who answers strangers, and what they wrote on their cards."""

import datetime as dt

from ambassadors.models import Person, Site

from . import cards
from .models import JobArea

_AREAS = (
    ("ausbildung", "Ausbildung", "Apprenticeship"),
    ("montage", "Montage und Technik", "Assembly and engineering"),
    ("buero", "Büro", "Office"),
    ("quereinstieg", "Quereinstieg", "Changing careers"),
)
# Address, object, sentence, areas, site, hours, extension, and an English sentence if any.
_CARDS = (
    (
        "lukasz.wrona",
        "t-helm",
        "Ich hatte Höhenangst. Frag mich, wie das ausging.",
        ("montage", "quereinstieg"),
        "suederkoog",
        "",
        "",
        "",
    ),
    (
        "frauke.petersen",
        "t-dreieck",
        "Welche Note du in Mathe wirklich brauchst? Kommt drauf an, wofür.",
        ("ausbildung",),
        "zentrale",
        "Mo bis Do, 9 bis 15 Uhr",
        "0000 241",
        "",
    ),
    (
        "birte.nissen",
        "t-headset",
        "Mit 39 vom Hotel in den Kundendienst. Ging schneller als gedacht.",
        ("buero", "quereinstieg"),
        "zentrale",
        "",
        "",
        "",
    ),
    (
        "dilan.kaya",
        "t-zollstock",
        "Teilzeit in der Bauleitung. Ja, das geht, dienstags bin ich weg.",
        ("montage", "buero"),
        "altmuehle",
        "Di nicht",
        "",
        "Part-time on the building site. Yes, that works; not on Tuesdays.",
    ),
    (
        "nam.vu",
        "t-schluessel",
        "Zweites Lehrjahr. Frag mich, wann man das erste Mal hoch darf.",
        ("ausbildung", "montage"),
        "ausbildung",
        "",
        "",
        "",
    ),
    (
        "samira.haddad",
        "t-fuenfzig",
        "Schichtdienst mit zwei Kindern. Ich zeige dir meinen Plan.",
        ("montage",),
        "lohe",
        "im Schichtwechsel",
        "0000 318",
        "",
    ),
)


def load(*, now: dt.datetime) -> None:
    """Load it for people who are there already."""
    people = {person.email.split("@")[0]: person for person in Person.objects.all()}
    sites = {site.slug: site for site in Site.objects.all()}
    areas = {
        slug: JobArea.objects.create(slug=slug, name_de=german, name_en=english, position=position)
        for position, (slug, german, english) in enumerate(_AREAS)
    }
    for name, picture, said, knows, site, hours, extension, in_english in _CARDS:
        person, since = people[name], now - dt.timedelta(days=50)
        written = cards.Written(
            sentence_de=said,
            sentence_en=in_english,
            job=person.job_title,
            picture=picture,
            languages=person.languages,
            areas=[areas[slug] for slug in knows],
            sites=[sites[site]],
            hours=hours,
            extension=extension,
            shows_address=False,
        )
        card = cards.save(by=person, written=written, now=since)
        cards.publish(card=card, by=person, now=since)
