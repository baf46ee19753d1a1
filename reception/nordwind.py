"""Nordwind Energie's reception: who answers strangers, and what they wrote on their cards."""

import datetime as dt
import uuid

from ambassadors.models import Person, Site

from . import asking, cards, crowds, inquiries, stamps, widgets
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
_WIDGETS = (
    ("Ausbildung Mechatronik", "ausbildung", ("https://karriere.nordwind-energie.example",)),
    ("Servicetechnik Wind (m/w/d)", "montage", ()),
)
# Days back, name, area, whom, question, answer, and what the hidden field held.
_QUESTIONS = (
    (
        4,
        "Tilda",
        "ausbildung",
        "nam.vu",
        "Muss ich schwindelfrei sein, um die Ausbildung anzufangen?",
        (
            "Nein. Die ersten Monate bist du unten in der Werkstatt. Nach oben geht es erst mit "
            "Training, und wenn du dann merkst, dass es nichts für dich ist, gibt es andere Wege."
        ),
        "",
    ),
    (
        1,
        "",
        "montage",
        "lukasz.wrona",
        "Wie hoch ist das eigentlich, und was macht ihr, wenn oben Wind aufkommt?",
        "",
        "",
    ),
    (
        0.2,
        "Bente",
        "buero",
        "dilan.kaya",
        "Geht Bauleitung wirklich in Teilzeit, auch wenn der Beton dienstags kommt?",
        "",
        "",
    ),
    (
        0.1,
        "Nils",
        "ausbildung",
        "frauke.petersen",
        "Ich habe in Mathe eine Vier. Lohnt es sich, dass ich mich bewerbe?",
        "",
        "",
    ),
    (0.4, "Best Backlinks", "", "", "We sell links for your site http://example.com", "", "x"),
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
        cards.save(by=person, written=written, now=since)
        cards.publish(by=person, now=since)
    _widgets(people, areas, now)
    _questions(people, areas, now)


def _widgets(people: dict[str, Person], areas: dict[str, JobArea], now: dt.datetime) -> None:
    for title, slug, origins in _WIDGETS:
        wanted = widgets.Wanted(
            title=title, areas=[areas[slug]], sites=[], cards=[], origins=list(origins),
            theme="auto", language="de", answer_days=None,
        )  # fmt: skip
        widgets.save(widget=None, wanted=wanted, by=people["selin.aydin"], now=now)


def _questions(people: dict[str, Person], areas: dict[str, JobArea], now: dt.datetime) -> None:
    """Asked over the last days; those with an answer were answered by whom they were given to."""
    for days, name, area, chosen, text, answer, trap in _QUESTIONS:
        at = now - dt.timedelta(days=days)
        asked = asking.Asked(
            question=text, name=name, email="", language="de", chosen=people.get(chosen),
            area=areas.get(area),
        )  # fmt: skip
        stamp = stamps.Stamp(uuid.uuid4(), dt.timedelta(minutes=4))
        made = asking.receive(asked=asked, stamp=stamp, trap=trap, crowd=crowds.Crowd(), now=at)
        if answer and made.owner:
            later = at + dt.timedelta(hours=20)
            inquiries.answer(
                inquiry=made, text=answer, seen=made.turn, by=made.owner, now=min(later, now)
            )
