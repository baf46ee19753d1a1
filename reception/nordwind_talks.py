"""Nordwind Energie's speakers, and what they were asked for. Relative to now."""

import datetime as dt
import uuid
from typing import Any

from ambassadors import memberships
from ambassadors.models import Person

from . import speakers, talk_offers, talk_requests
from .models import Speaker, TalkRequest

_ZONE = "Europe/Berlin"
# Object, formats, places, how the name is said, three sentences, what a stage needs.
_PROFILES: dict[str, tuple[str, list[str], str, str, str, str]] = {
    "ayla.demir": (
        "t-ventil",
        ["talk", "panel", "podcast"],
        "Altmühle, Lohe, Hamburg",
        "Eila",
        (
            "Ayla Demir plant Wärmenetze und hat die Altmühle von Gas auf Flusswärme umgestellt. "
            "Sie rechnet gern laut vor. Vorher war sie Heizungsbauerin."
        ),
        "Ein Ansteckmikrofon und eine Leinwand, die man auch hinten sieht.",
    ),
    "henning.brandes": (
        "t-mast",
        ["talk", "interview"],
        "Lohe, Berlin",
        "",
        (
            "Henning Brandes erklärt seit zwölf Jahren, wie ein Strompreis entsteht. "
            "Er bringt keine Folien mit, nur eine Rechnung."
        ),
        "Ein Flipchart reicht.",
    ),
    "samira.haddad": (
        "t-fuenfzig",
        ["panel", "podcast"],
        "",
        "Samira Haddaad",
        "Samira Haddad hält nachts die Frequenz bei fünfzig Hertz, mit zwei Kindern zu Hause.",
        "",
    ),
    "inken.matthiesen": (
        "t-dreieck",
        ["talk", "school"],
        "Süderkoog, Husum",
        "",
        "Inken Matthiesen zählt Vögel, bevor jemand baut, und danach noch einmal.",
        "Beamer mit Ton.",
    ),
    "fatou.diallo": (
        "t-schluessel",
        ["talk", "panel", "interview"],
        "Lohe, Kiel, Paris",
        "Fatu Djalo",
        "Fatou Diallo builds charging points where buses sleep. She likes questions early.",
        "Hand-held microphone, please.",
    ),
}
# Whose, title, abstract, language, minutes, level, for whom, who may see it.
_TALKS = (
    (
        "ayla.demir",
        "Eine Stadt heizt mit dem Fluss. Was das kostet und wer es merkt.",
        (
            "212 Wohnungen, eine Wärmepumpe so groß wie ein Lkw und ein Fluss, der im Januar vier "
            "Grad hat.\n\nIch erzähle, was wir vorher nicht wussten, was eine Kilowattstunde heute "
            "kostet und warum im ersten Winter die Telefone liefen."
        ),
        "de",
        45,
        "all",
        "Für Stadträte, Hausverwaltungen und alle, die eine Heizung haben.",
        "public",
    ),
    (
        "ayla.demir",
        "Kommunale Wärmeplanung, ohne sich zu verrechnen",
        "Fünf Zahlen, die in jedem Plan stehen sollten, und drei, die man streichen kann.",
        "de",
        60,
        "trade",
        "Für Planungsämter.",
        "public",
    ),
    (
        "henning.brandes",
        "Warum Strom im Norden billiger entsteht und teurer ankommt.",
        "Netzentgelte, Redispatch und eine Grenze, die niemand sieht. Ohne Folien.",
        "de",
        30,
        "all",
        "",
        "public",
    ),
    (
        "samira.haddad",
        "Was nachts um drei in einer Netzleitstelle passiert.",
        "Meistens nichts. Von den anderen Nächten handelt dieser Vortrag.",
        "de",
        30,
        "all",
        "Für alle, die Schicht arbeiten oder es vorhaben.",
        "public",
    ),
    (
        "inken.matthiesen",
        "Der Deich, die Schafe und vierzehn Turbinen",
        "Was wir gezählt haben, was sich geändert hat und was wir nicht wissen.",
        "de",
        45,
        "basics",
        "Für Naturschutzverbände und Schulklassen ab zehn.",
        "public",
    ),
    (
        "fatou.diallo",
        "Where buses sleep: charging a fleet in one night",
        (
            "Forty buses, one grid connection, seven hours. What we planned, and what the drivers "
            "taught us."
        ),
        "en",
        40,
        "basics",
        "For transport companies and city planners.",
        "public",
    ),
    (
        "fatou.diallo",
        "Ladesäulen, die keiner wollte",
        "Ein ehrlicher Rückblick auf drei Standorte, für die eigenen Leute.",
        "de",
        20,
        "all",
        "",
        "internal",
    ),
)


def load(*, now: dt.datetime) -> None:
    """Load it for people and teams that are there already."""
    people = {person.email.split("@")[0]: person for person in Person.objects.all()}
    before = now - dt.timedelta(days=40)
    for name, (thing, formats, places, said, bio, tech) in _PROFILES.items():
        person = people[name]
        if not speakers.is_expert(person, memberships.day_of(now)):
            continue
        facts = {
            "thing": thing,
            "formats": formats,
            "places": places,
            "pronunciation": said,
            "bio": bio,
            "tech": tech,
            "languages": person.languages,
            "remote": name != "inken.matthiesen",
        }
        speakers.keep(by=person, seen=0, facts=facts, now=before)
        speakers.show(by=person, visibility="public", now=before)
    for name, title, abstract, language, minutes, level, whom, visibility in _TALKS:
        facts = {
            "title": title,
            "abstract": abstract,
            "language": language,
            "minutes": minutes,
            "level": level,
            "whom": whom,
            "visibility": visibility,
        }
        key = uuid.uuid5(uuid.NAMESPACE_URL, title)
        speakers.write_talk(by=people[name], facts=facts, submission=key, now=before)
    until = memberships.day_of(now) + dt.timedelta(days=6)
    speakers.pause(by=people["samira.haddad"], until=until, now=now)
    _requests(people, now)


def _requests(people: dict[str, Person], now: dt.datetime) -> None:
    """One that waits for a speaker, one that nobody was asked about, one booked, one held."""
    by_name = {s.person.email.split("@")[0]: s for s in Speaker.objects.select_related("person")}
    ayla, henning = by_name["ayla.demir"], by_name["henning.brandes"]
    _ask("Stadtwerke-Forum Husum", ayla, days=24, now=now, minutes=45)
    open_ = _ask("Tag der Netze, Messe Bremen", None, days=38, now=now, format="panel")
    talk_offers.offer(
        request=open_,
        speakers=[henning.pk, by_name["fatou.diallo"].pk],
        by=people["ayla.demir"],
        now=now - dt.timedelta(days=1),
    )
    _ask("Berufsmesse der Gesamtschule Lohe", None, days=52, now=now, format="school")
    booked = _ask("Energiestammtisch Kiel", henning, days=12, now=now)
    talk_offers.agree(
        request=booked, wall=booked.walls[0], by=henning.person, now=now - dt.timedelta(days=3)
    )
    booked.refresh_from_db()
    talk_offers.prepare(
        request=booked,
        seen=0,
        facts={
            "travel_note": "RE 7, an 17:48. Zurück um 21:10.",
            "tech_note": "Flipchart ist da.",
            "deck_url": "",
            "ticked": ["called", "travel"],
        },
        by=henning.person,
        now=now,
    )


def _ask(
    event: str, wanted: Speaker | None, *, days: int, now: dt.datetime, **facts: Any
) -> TalkRequest:
    day = memberships.day_of(now) + dt.timedelta(days=days)
    talk = wanted.talks.first() if wanted else None
    return talk_requests.ask(
        facts={
            "event": event,
            "organisation": "Verein Energie im Norden e. V.",
            "format": "talk",
            "topic": talk.title if talk else "Wie das Netz der Zukunft aussieht, ehrlich erzählt.",
            "walls": [f"{day.isoformat()}T18:00", f"{day.isoformat()}T19:30"],
            "zone": _ZONE,
            "minutes": 30,
            "place": "Bürgerhaus, Saal 2",
            "remote": False,
            "audience": "Etwa 80 Leute, gemischt",
            "pays": "travel",
            **facts,
        },
        asker=("Gesa Lorenz", "gesa.lorenz@verein.example"),
        wanted=wanted,
        talk=talk,
        language="de",
        submission=uuid.uuid5(uuid.NAMESPACE_URL, event),
        by=None,
        writes=True,
        now=now - dt.timedelta(days=4),
    )
