"""Nordwind Energie's courses: dates with a line, lessons, and the path for executives."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from ambassadors.models import Membership, Person, TeamKind

from . import bookings, captions, completions, courses, lessons, requirements, sessions
from .models import Booking, Completion, Course, Session
from .sessions import Terms

_ZONE = "Europe/Berlin"
_FILMS = settings.BASE_DIR / "campaigns" / "nordwind" / "films"
_SPEAK = """Du schreibst einen Satz, wir lesen ihn laut. Klingt er nach dir, bleibt er.

## Was wir machen

- drei Texte kürzen, bis sie atmen
- einen eigenen Anfang finden, ohne „Ich freue mich“
- üben, auf eine spitze Frage zu antworten

Bring einen Text mit, der dir *nicht* gefällt. Rechner stehen da."""
_SPEAK_EN = """You write a sentence, we read it aloud. If it sounds like you, it stays.

- cut three texts until they breathe
- find a beginning of your own
- practise answering a sharp question"""
_COURSES: tuple[dict[str, object], ...] = (
    {
        "title_de": "Schreiben, wie du sprichst",
        "title_en": "Write as you speak",
        "about_de": _SPEAK,
        "about_en": _SPEAK_EN,
        "for_whom_de": "Für alle, die öffentlich von ihrer Arbeit erzählen wollen.",
        "for_whom_en": "For everybody who wants to talk about their work in public.",
        "how": "dates",
    },
    {
        "title_de": "Zehn Minuten auf einer Bühne",
        "title_en": "Ten minutes on a stage",
        "about_de": "Ein Einstieg, drei Punkte, ein Schluss. Ohne Folien.",
        "for_whom_de": "Für Fachleute, die auf Podien sitzen oder sitzen könnten.",
        "for_whom_en": "For experts who sit on panels, or could.",
        "how": "dates",
        "valid_months": 36,
    },
    {
        "title_de": "Wenn die Presse anruft",
        "title_en": "When the press calls",
        "about_de": "Wer spricht, und was du in der ersten halben Minute sagst.",
        "about_en": "Who speaks, and what to say in the first half minute.",
        "for_whom_de": "Für alle mit Führungsaufgabe.",
        "for_whom_en": "For everybody who leads.",
        "how": "dates",
        "executives_place": 2,
    },
    {
        "title_de": "Selbst schreiben, auch mit wenig Zeit",
        "title_en": "Write it yourself, with little time",
        "about_de": "Eine halbe Stunde zu zweit, an deinem nächsten Beitrag.",
        "about_en": "Half an hour, two people, your next post.",
        "for_whom_de": "Für alle mit Führungsaufgabe.",
        "for_whom_en": "For everybody who leads.",
        "how": "dates",
        "executives_place": 3,
    },
)
_RIGHT: tuple[dict[str, Any], ...] = (
    {
        "title": "Wer ist zu sehen?",
        "text": "Ein Gesicht gehört dem, der es trägt. Auch auf der Baustelle, auch von hinten,"
        " wenn man die Person erkennt.\n\n- **Frag vorher.** Ein Nicken reicht, wenn du sagst,"
        " wofür.\n- **Frag wieder**, wenn es für etwas anderes ist.\n- **Kinder**: nur mit den"
        " Eltern.\n\n> Wenn du unsicher bist, zeig Hände, Werkzeug, Himmel.",
        "film": True,
    },
    {
        "title": "Was steht im Hintergrund?",
        "text": "Bildschirme, Namensschilder, Kennzeichen, Pläne an der Wand. Einmal von links nach"
        " rechts schauen, bevor du abdrückst.",
    },
    {
        "title": "Drei Fragen zum Schluss",
        "text": "So oft du willst. Gezählt wird nichts.",
        "questions": (
            (
                "Mirja nickt, das Bild ist für die Morgenlage. Gilt das auch für eine Anzeige?",
                (("Ja, sie hat genickt.", False), ("Nein, ich frage noch einmal.", True)),
                "Ein Ja gilt für den Zweck, den du genannt hast.",
            ),
            (
                "Was gehört vor dem Foto weg?",
                (
                    ("Der Bildschirm mit den Störungen", True),
                    ("Die Kaffeetasse", False),
                    ("Das Kennzeichen des Nachbarn", True),
                ),
                "Kaffee darf bleiben.",
            ),
        ),
    },
)
_CAPTIONS = """WEBVTT

00:00.000 --> 00:03.200
Recht am Bild. Wer zu sehen ist, entscheidet mit.

00:03.300 --> 00:06.400
Erst fragen, dann fotografieren.

00:06.500 --> 00:09.600
Ein Ja gilt für diesen Zweck. Für den nächsten fragst du wieder.

00:09.800 --> 00:12.900
Ein Nein gilt sofort. Auch hinterher.
"""
# Course, days ahead, hour, hours long, room, seats, trainer (an address or a name).
_DATES = (
    (0, 6, 9, 3, "Deichstube, Zentrale", 6, "mirja.thomsen"),
    (0, 27, 13, 3, "Pausenraum, Süderkoog", 10, "mirja.thomsen"),
    (1, 13, 10, 2, "Aula, Ausbildungszentrum", 12, "Hanne Ketels"),
    (2, 9, 8, 1, "Zimmer 3.12, Zentrale", 4, "dilan.kaya"),
    (3, 16, 8, 1, "", 2, "mirja.thomsen"),
)


def load(by: dict[str, Person], *, now: dt.datetime) -> None:
    """Load it for people and teams that are there already."""
    selin = by["selin.aydin"]
    _right(selin, now)
    made = [
        Course.objects.create(language="de", made_at=now, published_at=now, **row)
        for row in _COURSES
    ]
    dates = [_date(made[row[0]], row, by, now) for row in _DATES]
    learners = [row.person for row in requirements.in_training()]
    others = [by["jona.harms"], *learners, *Person.objects.exclude(pk__in=[p.pk for p in learners])]
    for n, person in enumerate(dict.fromkeys(others[:9])):
        bookings.book(session=dates[0], by=person, now=now - dt.timedelta(days=9 - n))
    for person in (by["ayla.demir"], by["tarek.yilmaz"]):
        bookings.book(session=dates[2], by=person, now=now - dt.timedelta(days=2))
    Booking.objects.exclude(news="").update(news="")
    requirements.ask(course=made[0], team=None, kind=_kind("multiplier"), by=selin, now=now)
    requirements.ask(course=made[1], team=None, kind=_kind("expert"), by=selin, now=now)
    _past(made[0], by, selin, now)


def _right(by: Person, now: dt.datetime) -> Course:
    """The course in lessons, with a film of thirteen seconds."""
    course = Course.objects.create(
        title_de="Recht am Bild",
        title_en="Faces in pictures",
        about_de="Drei kurze Lektionen, zusammen eine Viertelstunde. Danach weißt du, wen du fragst"
        " und was weg muss.",
        about_en="Three short lessons, a quarter of an hour. Then you know whom to ask.",
        for_whom_de="Für alle, die fotografieren, auch mit dem Telefon.",
        for_whom_en="For everybody who takes pictures, with a phone too.",
        language="de",
        how="lessons",
        valid_months=24,
        executives_place=1,
        made_at=now,
    )
    for row in _RIGHT:
        lesson = lessons.add(course=course, title=str(row["title"]), by=by, now=now)
        lesson.text = str(row["text"])
        film = None
        if row.get("film"):
            content = (_FILMS / "recht-am-bild.webm").read_bytes()
            film = SimpleUploadedFile("film.webm", content)
            lesson.captions = captions.read(_CAPTIONS.encode())
        lessons.write(lesson=lesson, video=film, without_video=False, by=by, now=now)
        for text, answers, why in row.get("questions", ()):
            lessons.ask(lesson=lesson, text=text, answers=list(answers), explanation=why)
    courses.publish(course=course, by=by, now=now)
    return course


def _kind(slug: str) -> TeamKind:
    return TeamKind.objects.get(slug=slug)


def _date(
    course: Course,
    row: tuple[int, int, int, int, str, int, str],
    by: dict[str, Person],
    now: dt.datetime,
) -> Session:
    _course, ahead, hour, long, room, seats, who = row
    day = (now + dt.timedelta(days=ahead)).astimezone(ZoneInfo(_ZONE))
    while day.weekday() > 4:
        day += dt.timedelta(days=1)
    begins = day.replace(hour=hour, minute=0, second=0, microsecond=0)
    terms = Terms(
        begins_at=begins,
        ends_at=begins + dt.timedelta(hours=long),
        zone=_ZONE,
        seats=seats,
        room=room,
        link="" if room else "https://treffen.nordwind-energie.example/halbe-stunde",
        trainer=by.get(who),
        trainer_name="" if who in by else who,
    )
    planned_at = now - dt.timedelta(days=20)
    return sessions.plan(course=course, terms=terms, by=by["selin.aydin"], now=planned_at)


def _past(course: Course, by: dict[str, Person], selin: Person, now: dt.datetime) -> None:
    """Those who are active have been there; one certificate ends soon."""
    active = Membership.objects.filter(
        team__kind__behaviour="multiplier", stage="active", person__left_at__isnull=True
    )
    held = (now - dt.timedelta(days=300)).date()
    for term in active.select_related("person").order_by("pk"):
        completions.complete(person=term.person, course=course, on=held, by=selin, now=now)
    soon = now.date() + dt.timedelta(days=21)
    Completion.objects.filter(person=by["lukasz.wrona"], course=course).update(expires_on=soon)
