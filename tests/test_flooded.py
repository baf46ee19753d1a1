"""Forms and bodies sent with all the other columns of their table: nothing more is written (ASVS 15.3.3).

What each may write stands in docs/fields.md; tests/test_fields.py reads it.
"""

import dataclasses
import datetime as dt
import json
import uuid

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from ambassadors import memberships
from ambassadors.models import (
    Guideline,
    GuidelineVersion,
    Membership,
    Person,
    Role,
    Site,
    Team,
    TeamKind,
)
from campaigns.models import Campaign, Picture, Proposal, Suggestion, Variant
from curation.models import Source
from people.models import Call, Course, Lesson, Session
from reception.models import ContactCard, Speaker, Talk, TalkRequest, Widget

from .conftest import browser
from .test_api import program
from .test_fields import BODIES, RULES, load, named
from .test_scim import boss, scim  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
FAR = "2031-03-04T05:06"


class World:
    """A row of many tables, and who may write it."""

    def __init__(self, person, suggestion, topic):
        now = self.now = timezone.now()
        self.topic, self.suggestion = topic, suggestion
        self.jona, self.mirja = person("Jona Harms"), person("Mirja Thomsen", "curator")
        self.selin, self.boss = person("Selin", "hr"), person("Ada", "administrator")
        self.lead = person("Lena Lead")
        self.site = Site.objects.create(
            slug="hafen", name="Hafen", timezone="Europe/Berlin", country="DE"
        )
        self.kind = TeamKind.objects.create(
            slug="k", behaviour="contact", name_de="K", name_en="K", profile_de="P", profile_en="P"
        )
        self.team = Team.objects.create(slug="t", name="T", kind=self.kind, lead=self.lead)
        self.term = memberships.begin(
            person=self.jona, team=self.team, stage="active", by=None, now=now
        )
        Suggestion.objects.filter(pk=suggestion.pk).update(
            state="draft", approved_by=None, approved_at=None, author=self.mirja
        )
        self.variant = Variant.objects.get(suggestion=suggestion)
        self.campaign = Campaign.objects.create(
            slug="c", title="C", hashtag="C", description="D", language="en",
            begins_on=timezone.localdate(now), ends_on=timezone.localdate(now), submission=uuid.uuid4(), created_at=now,
            changed_at=now,
        )  # fmt: skip
        self.draft = GuidelineVersion.objects.create(
            guideline=Guideline.objects.create(slug="g", counts_from=now), title_en="G",
            text_en="T", changed_at=now,
        )  # fmt: skip
        self.course = Course.objects.create(title_de="K", how="lessons", made_at=now)
        self.lesson = Lesson.objects.create(course=self.course, place=0, title="L")
        self.dates = Course.objects.create(title_de="D", how="dates", made_at=now)
        self.session = Session.objects.create(
            course=self.dates, zone="Europe/Berlin", begins_wall="2027-01-01T10:00", seats=3,
            ends_wall="2027-01-01T11:00", begins_at=now + dt.timedelta(days=9), room="R",
            ends_at=now + dt.timedelta(days=9, hours=1), changed_at=now,
        )  # fmt: skip
        self.call = Call.objects.create(
            slug="a-call", team=self.team, title_de="C", text_de="C", timezone="Europe/Berlin",
            opens_at=now - dt.timedelta(days=1), closes_at=now + dt.timedelta(days=9), made_at=now,
            submission=uuid.uuid4(),
        )  # fmt: skip
        self.idea = Proposal.objects.create(
            person=self.jona, text="How about", submission=uuid.uuid4(), created_at=now
        )
        self.picture = Picture(sha256="x", width=8, height=8, uploaded_by=self.mirja)
        self.picture.file.save("p.jpg", ContentFile(b"x"))
        self.source = Source.objects.create(
            url="https://x.example/feed", name="S", kind="feed", keeper=self.mirja, topic=topic,
            content_class="employer_brand", tone="useful", language="en", every_minutes=60,
            added_at=now, next_fetch_at=now,
        )  # fmt: skip
        self.card = ContactCard.objects.create(
            person=self.jona, key="card123456", sentence_en="S", changed_at=now
        )
        self.speaker = Speaker.objects.create(person=self.jona, changed_at=now)
        self.talk = Talk.objects.create(
            speaker=self.speaker, title="T", abstract="A", language="en", changed_at=now,
            submission=uuid.uuid4(),
        )  # fmt: skip
        self.asked = TalkRequest.objects.create(
            submission=uuid.uuid4(), asker_name="Gesa", asker_email="gesa@club.example",
            event="Day", token="t" * 43, state="booked", speaker=self.speaker, booked_at=now,
            asked_at=now, changed_at=now,
        )  # fmt: skip
        self.widget = Widget.objects.create(key="widget1234", title="W", changed_at=now)


@pytest.fixture
def world(person, suggestion, topic, monkeypatch):
    cache.clear()
    made = World(person, suggestion, topic)
    monkeypatch.setattr(timezone, "now", lambda: made.now)  # so that two runs may be compared
    return made


def day(world, days):
    return (world.now + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def wordings(world):
    return {
        "act": "save", "revision": world.suggestion.revision, "draft": uuid.UUID(int=1),
        "v_name": "One", "v_id": world.variant.pk, "v_text": "Mine [yours].", "v_language": "en",
        "v_network": "",
    }  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """A form as it is sent whole, by somebody whom the page calls ``writer``."""

    who: str
    writer: str
    table: str
    address: tuple[object, ...]
    typed: object
    about: str = ""  # the row that is written; empty where one is made
    unlike: frozenset[str] = frozenset()  # what is drawn by lot


CASES = {
    "about me": Case(
        "jona", "the person", "ambassadors.Person", ("me",),
        lambda w: {"languages": ["en"], "interests": [w.topic.slug], "hours": "3", "hours_shown": "yes"},
        "jona",
    ),
    "my hours": Case(
        "jona", "the person", "ambassadors.Person", ("my_time",),
        lambda w: {
            "act": "hours", "own": "yes", "quiet_from": "20", "quiet_until": "7", "free_days": "",
            "zone": "Europe/Vienna", "posts_by": "",
        },
        "jona",
    ),
    "too much": Case(
        "jona", "the person", "ambassadors.Person", ("too_much",),
        lambda w: {"answer": "much", "too_much_shown": ""}, "jona",
    ),
    "first steps": Case(
        "jona", "the person", "ambassadors.Person", ("welcome",),
        lambda w: {"step": "1", "act": "", "language": "de", "topics": [w.topic.slug]}, "jona",
    ),
    "a pause": Case(
        "jona", "the person", "ambassadors.Membership", ("my_term", "term"),
        lambda w: {"act": "pause", "until_on": ""}, "term",
    ),
    "a note": Case(
        "jona", "the person", "ambassadors.Note", ("notebook",), lambda w: {"text": "Mine."}
    ),
    "a key": Case(
        "jona", "the person", "integrations.ApiToken", ("api_token_make",),
        lambda w: {"name": "Mine", "kind": "personal", "scopes": ["topics:read"], "days": "30"},
        unlike=frozenset({"digest", "shown"}),
    ),
    "a team, by its lead": Case(
        "lead", "the lead of the team", "ambassadors.Team", ("team_edit", "team.slug"),
        lambda w: {"name": "N", "purpose": "P", "site": "hafen", "capacity": "5", "term_months": "6"},
        "team",
    ),
    "a team, by HR": Case(
        "selin", "HR", "ambassadors.Team", ("team_edit", "team.slug"),
        lambda w: {
            "name": "N", "purpose": "P", "site": "", "capacity": "5", "term_months": "6",
            "lead": w.jona.email,
        },
        "team",
    ),
    "a kind": Case(
        "selin", "HR", "ambassadors.TeamKind", ("kind_edit", "kind.slug"),
        lambda w: {
            "name_de": "A", "name_en": "B", "profile_de": "C", "profile_en": "D", "tasks": "E",
            "tasks_en": "F", "hours_per_month": "2",
        },
        "kind",
    ),
    "a site": Case(
        "selin", "HR and administrators", "ambassadors.Site", ("site", "site"),
        lambda w: {
            "act": "change", "zone": "Europe/Vienna", "country": "AT", "subdivision": "",
            "quiet_from": "19", "quiet_until": "6",
        },
        "site",
    ),
    "a guideline": Case(
        "selin", "HR and curators", "ambassadors.GuidelineVersion", ("guideline_edit", "draft.guideline_id"),
        lambda w: {
            "title_de": "A", "title_en": "B", "text_de": "C", "text_en": "D", "change_de": "E",
            "change_en": "F", "requires_yes": "on", "grace_days": "9", "effective_on": "2030-01-02",
            "revision": w.draft.revision, "act": "save",
        },
        "draft",
    ),
    "days of keeping": Case(
        "boss", "administrators", "ambassadors.RetentionRule", ("retention",),
        lambda w: {"name": "inquiries", "days": "60"},
    ),
    "a suggestion": Case(
        "mirja", "curators", "campaigns.Suggestion", ("suggestion_edit", "suggestion"),
        lambda w: wordings(w) | {
            "topic": w.topic.pk, "title": "T", "why": "W", "language": "en",
            "content_class": "employer_brand", "tone": "proud", "link_url": "https://x.example/",
            "link_title": "L", "link_description": "D", "embargo_until": "", "expires_at": "",
            "audience_languages": ["en"], "audience_interests": [], "offer_name": "",
            "offer_terms_url": "", "offer_ends_on": "", "prompts_text": "P", "facts_text": "F",
            "leave_out_text": "", "sites": [], "teams": [], "kinds": [], "alt": "", "library": "",
        },
        "suggestion",
    ),
    "a wording": Case(
        "mirja", "curators", "campaigns.Variant", ("suggestion_edit", "suggestion"),
        lambda w: wordings(w) | {
            "topic": w.topic.pk, "title": w.suggestion.title, "language": "en", "tone": "useful",
            "content_class": "employer_brand",
        },
        "variant",
    ),
    "a topic": Case(
        "mirja", "curators", "campaigns.Topic", ("topic_edit", "topic"),
        lambda w: {
            "title": "T", "language": "en", "rule": "R", "say": "S", "if_asked": "I",
            "owner": w.mirja.pk, "deputies": [], "leave_out_text": "L", "revision": w.topic.revision,
            "act": "save",
        },
        "topic",
    ),
    "a campaign": Case(
        "mirja", "curators", "campaigns.Campaign", ("desk_campaign", "campaign"),
        lambda w: {
            "title": "T", "hashtag": "Wind", "description": "D", "language": "en",
            "begins_on": timezone.localdate(w.now), "ends_on": timezone.localdate(w.now) + dt.timedelta(days=3),
            "goal_own_words": "50", "goal_conversations": "", "revision": w.campaign.revision,
        },
        "campaign",
    ),
    "a request": Case(
        "mirja", "curators", "campaigns.Activity", ("desk_activities",),
        lambda w: {
            "kind": "like", "title": "T", "why": "W", "link_url": "https://mastodon.social/@a/1",
            "topic": w.topic.pk, "ends_at": day(w, 3), "submission": uuid.UUID(int=7),
        },
    ),
    "an issue": Case(
        "mirja", "curators", "campaigns.Briefing", ("issue_edit", "today"),
        lambda w: {
            "note": "N", "dial_in": "https://x.example/", "starts_at": "09:15",
            "contact": w.mirja.pk, "publish_at": "", "change_note": "", "item": [w.topic.pk],
            "item_note": ["I"], "act": "save", "revision": "0",
        },
    ),
    "a picture": Case(
        "mirja", "curators", "campaigns.Picture", ("picture_edit", "picture"),
        lambda w: {
            "title": "T", "alt_de": "A", "alt_en": "B", "made_by": "M", "licence": "own",
            "licence_note": "N", "usable_until": "2030-01-02", "focus_x": "10", "focus_y": "20",
        },
        "picture",
    ),
    "an idea": Case(
        "jona", "the person", "campaigns.Proposal", ("ideas",),
        lambda w: {"text": "Mine", "show_name": "", "submission": uuid.UUID(int=8), "picture": ""},
    ),
    "its answer": Case(
        "mirja", "curators", "campaigns.Proposal", ("desk_idea", "idea"),
        lambda w: {"act": "answer", "answer": "Thanks", "seen": "", "topic": ""}, "idea",
    ),
    "feedback": Case(
        "jona", "the person", "campaigns.Feedback", ("feedback",),
        lambda w: {"text": "Slow.", "page": "/", "named": ""},
    ),
    "a source": Case(
        "mirja", "curators", "curation.Source", ("source", "source"),
        lambda w: {
            "name": "N", "topic": w.topic.pk, "content_class": "product", "tone": "human",
            "language": "de", "every_minutes": "360", "drafts": "0",
        },
        "source",
    ),
    "a course": Case(
        "selin", "HR", "people.Course", ("desk_course", "course"),
        lambda w: {
            "title_de": "A", "title_en": "B", "for_whom_de": "", "for_whom_en": "", "about_de": "C",
            "about_en": "", "language": "en", "valid_months": "6", "executives_place": "",
            "revision": w.course.revision,
        },
        "course",
    ),
    "a lesson": Case(
        "selin", "HR", "people.Lesson", ("desk_lesson", "lesson"),
        lambda w: {"title": "T", "text": "X", "revision": w.lesson.revision}, "lesson",
    ),
    "a date": Case(
        "selin", "HR", "people.Session", ("desk_session", "session"),
        lambda w: {
            "begins": day(w, 12), "ends": day(w, 13), "zone": "Europe/Berlin", "room": "A",
            "link": "", "trainer": w.jona.email, "seats": "8", "revision": w.session.revision,
        },
        "session",
    ),
    "a call": Case(
        "lead", "the lead of the team", "people.Call", ("call_edit", "call"),
        lambda w: {
            "title_de": "A", "title_en": "", "text_de": "B", "text_en": "", "opens_at": day(w, 1),
            "closes_at": day(w, 3), "timezone": "Europe/Berlin", "places": "3",
            "for": f"team-{w.team.pk}", "submission": uuid.UUID(int=9),
        },
        "call",
    ),
    "an application": Case(
        "mirja", "the person", "people.Application", ("call", "call.slug"),
        lambda w: {
            "why": "Me", "topics": [], "languages": ["de"], "networks": [], "hours_per_month": "2",
        },
    ),
    "a card": Case(
        "jona", "the person", "reception.ContactCard", ("my_card",),
        lambda w: {
            "act": "save", "sentence_de": "A", "sentence_en": "B", "job": "J", "picture": "t-helm",
            "languages": ["de"], "areas": [], "sites": [w.site.pk], "hours": "9 to 5",
            "extension": "12", "shows_address": "",
        },
        "card",
    ),
    "a speaker": Case(
        "jona", "the person", "reception.Speaker", ("speaking_profile",),
        lambda w: {
            "pronunciation": "P", "bio": "B", "languages": ["de"], "formats": ["talk"],
            "places": "Kiel", "remote": "", "tech": "T", "thing": "t-mast", "seen": w.speaker.revision,
        },
        "speaker",
    ),
    "a talk": Case(
        "jona", "the person", "reception.Talk", ("speaking_talk", "talk"),
        lambda w: {
            "title": "N", "abstract": "B", "language": "de", "minutes": "30", "level": "trade",
            "whom": "W", "visibility": "internal", "seen": w.talk.revision, "act": "",
        },
        "talk",
    ),
    "what is settled before a talk": Case(
        "jona", "the speaker and coordinators", "reception.TalkRequest", ("talk_act", "asked"),
        lambda w: {
            "act": "prepare", "travel_note": "A", "tech_note": "B", "deck_url": "",
            "ticked": [next(iter(TalkRequest.CHECKLIST))], "seen": w.asked.prepared,
        },
        "asked",
    ),
    "a widget": Case(
        "selin", "HR", "reception.Widget", ("widget", "widget"),
        lambda w: {
            "title": "N", "areas": [], "sites": [w.site.pk], "cards": [], "theme": "dark",
            "origins": "https://x.example", "language": "de", "answer_days": "5", "act": "",
        },
        "widget",
    ),
}  # fmt: skip


def of(world, path):
    """``team.slug`` of the world; a row as its key."""
    found = timezone.localdate(world.now).isoformat() if path == "today" else world
    for name in path.split(".") if path != "today" else ():
        found = getattr(found, name)
    return getattr(found, "pk", found)


def sent(field, row, world, *, spoken):
    """What somebody would send for a column who wants it to be another: by number, or as it is spoken."""
    other = getattr(row, field.name, None) if not field.many_to_many else None
    if field.is_relation:
        if field.related_model is Person:
            return world.boss.email if spoken else world.boss.pk
        rows = field.related_model.objects
        found = rows.exclude(pk=getattr(other, "pk", None)).first() or rows.first()
        return (spoken and getattr(found, "slug", "")) or getattr(found, "pk", 1)
    values = [value for value, _label in field.flatchoices or () if value not in {other, ""}]
    if values:
        return values[-1]
    match field:
        case models.BooleanField():
            return "yes"
        case models.UUIDField():
            return uuid.UUID(int=99)
        case models.DateTimeField():
            return FAR
        case models.DateField():
            return FAR[:10]
        case models.IntegerField() | models.DecimalField():
            return 3
        case models.JSONField():
            return '["planted"]'
    return "planted@example.org" if isinstance(field, models.EmailField) else "planted"


def flood(model, row, typed, world, *, spoken):
    """A form with all the other columns of its table, each by its name and by its column's."""
    about = model._meta
    others = {"id": world.boss.pk, "pk": world.boss.pk}
    for field in (*about.local_fields, *about.local_many_to_many):
        if not isinstance(field, models.AutoField):
            value = sent(field, row, world, spoken=spoken)
            others |= {field.name: value, getattr(field, "attname", field.name): value}
    others = {name: value for name, value in others.items() if name not in typed}
    assert len(others) > 2
    return typed | others


def rows_of(*kinds, unlike=frozenset()):
    """All that stands in some tables, without numbers of new rows and what is drawn by lot."""
    found = {}
    for model in kinds:
        about = model._meta
        names = {f.attname for f in about.local_fields} - {"id", "last_login", *unlike}
        for row in model.objects.order_by("pk"):
            what = {name: getattr(row, name) for name in sorted(names)}
            for sets in about.local_many_to_many:
                what[sets.name] = sorted(getattr(row, sets.name).values_list("pk", flat=True))
            found.setdefault(model.__name__, []).append(what)
    return found


def undone(act):
    """What an act says, taken back afterwards."""
    with transaction.atomic():
        found = act()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("spoken", [False, True], ids=["numbers", "names"])
@pytest.mark.parametrize("name", CASES)
def test_form_with_all_the_other_columns_writes_what_it_writes_without(name, spoken, world):
    case, model = CASES[name], apps.get_model(CASES[name].table)
    kinds = dict.fromkeys((model, Person, Role, Membership, Team))
    row = getattr(world, case.about) if case.about else model()
    who, typed = browser(getattr(world, case.who)), case.typed(world)
    address = reverse(case.address[0], args=[of(world, path) for path in case.address[1:]])

    def post(what):
        answer = who.post(address, what)
        return answer.status_code, rows_of(*kinds, unlike=case.unlike)

    before = rows_of(*kinds, unlike=case.unlike)
    status, plain = undone(lambda: post(typed))
    assert status in {200, 302}
    assert plain != before
    assert undone(lambda: post(flood(model, row, typed, world, spoken=spoken))) == (status, plain)
    if case.about:
        pairs = zip(before[model.__name__], plain[model.__name__], strict=True)
        about = {field.attname: field.name for field in model._meta.local_fields}
        changed = {about.get(n, n) for old, new in pairs for n in old if old[n] != new[n]}
        told = RULES[case.table]
        may = told.hand.get(case.writer, set()) | named(told.presses)
        assert (changed & told.by_hand) - may == set()


@pytest.mark.parametrize(
    ("method", "path", "table", "body"),
    [
        ("POST", "/ideas", "campaigns.Proposal", {"text": "Mine"}),
        ("POST", "/drafts", "campaigns.Suggestion", {"topic": 0, "title": "T"}),
        ("PATCH", "/drafts/{}", "campaigns.Suggestion", {"title": "T"}),
        ("PUT", "/topics/{}/light", "campaigns.Topic", {"light": "careful", "why": "W"}),
        ("POST", "/topics/{}/hold", "campaigns.HoldRecord", {"reason": "R"}),
    ],
)
def test_body_with_any_other_column_is_refused_whole(method, path, table, body, world):
    model, ask = apps.get_model(table), program(world.mirja)
    about = world.topic if "topics" in path else world.suggestion
    path, tag = path.format(about.pk), {}
    if "topic" in body:
        body = {**body, "topic": world.topic.pk}
    if method != "POST":
        tag["If_Match"] = ask("GET", path.removesuffix("/light"))["ETag"]
    before = rows_of(model, Person, Role)
    declared = set().union(
        *(set(load(one)().fields) for one, (t, _s) in BODIES.items() if t == table)
    )
    others = {n for f in model._meta.local_fields for n in (f.name, f.attname)} | {"pk"}
    others -= declared | set(body)
    assert len(others) > 5
    for name in sorted(others):
        answer = ask(method, path, {**body, name: 1}, Idempotency_Key=uuid.uuid4().hex, **tag)
        assert (answer.status_code, name in json.dumps(answer.json())) == (400, True)
    assert rows_of(model, Person, Role) == before
    assert undone(lambda: ask(method, path, body, **tag).status_code) in {200, 201}


def test_directory_writes_its_seven_columns_and_no_other(scim, world):
    """A resource with every column of a person as an attribute is read over."""
    made = scim.make("anne")
    anne = Person.objects.get(pk=made["id"])
    before = rows_of(Person, Role, Membership)
    extra = flood(
        Person, anne, {"email": 1, "id": 1, "name": 1, "timezone": 1}, world, spoken=False
    )
    extra = {name: str(value) for name, value in extra.items() if value != 1} | {"active": True}
    answers = [
        scim("put", f"Users/{made['id']}", {**made, "displayName": "Anne", **extra}),
        scim.patch(
            f"Users/{made['id']}",
            *({"op": "replace", "path": name, "value": value} for name, value in extra.items()),
        ),
        scim.patch(f"Users/{made['id']}", {"op": "replace", "value": extra}),
    ]
    assert {answer.status_code for answer in answers} <= {200, 204, 400}
    pairs = zip(before["Person"], rows_of(Person)["Person"], strict=True)
    about = {field.attname: field.name for field in Person._meta.local_fields}
    changed = {about[name] for old, new in pairs for name in old if old[name] != new[name]}
    seven = RULES["ambassadors.Person"].hand["the directory"]
    assert len(seven) == 7
    assert "name" in changed
    assert changed - seven - {"email_normalised"} == set()
    assert rows_of(Role, Membership) == {k: before[k] for k in ("Role", "Membership")}
