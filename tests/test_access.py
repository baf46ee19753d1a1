"""Every address × every role × every method, against what belongs to somebody else (G13).

Two passes. The first asks the guard itself for each cell and compares with `data/access.txt`, a
second declaration that a person reads: a new address without a row fails. The second opens what
the guard lets through, with the keys of what a colleague of all rooms wrote, and looks for their
words in every answer.
"""

from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import models
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from advocacy.middleware import PolicyMiddleware
from advocacy.policies import ANY_METHOD, policy_for
from ambassadors.models import Membership, Person, Team, TeamKind
from people.models import Call

from .conftest import FULL, browser
from .test_erasure import planted  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
DECLARED = Path(__file__).parent / "data" / "access.txt"
ROLES = (
    "stranger", "employee", "lead", "contact", "curator", "legal", "hr", "auditor",
    "administrator", "left", "disabled", "resting",
)  # fmt: skip
PEOPLE = ROLES[1:9]
WORDS = {
    "everybody": set(ROLES),
    "people": {*PEOPLE, "resting"},
    "nobody": set(),
    "programs": set(ROLES),
}


def every(resolver=None):
    """Each address of ours and of the libraries, by its name; those without one open for nobody."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.name or ""
        else:
            yield from every(entry)


@pytest.fixture
def visitors(person):
    """Somebody of each role, none of whom has to do with what is planted."""
    found = {
        name: person(f"Visitor {name}") for name in ("employee", "lead", "contact", "disabled")
    }
    found |= {
        name: person(f"Visitor {name}", name)
        for name in ("curator", "legal", "hr", "auditor", "administrator")
    }
    found["left"] = person("Visitor left", "administrator", left_at=timezone.now())
    found["resting"] = person("Visitor resting", "administrator", "curator", "hr", "legal")
    kind = TeamKind.objects.create(slug="ok", behaviour="contact", name_de="O", name_en="O")
    plain = TeamKind.objects.create(slug="pl", behaviour="", name_de="P", name_en="P")
    Team.objects.create(slug="other", name="Other", kind=plain, lead=found["lead"])
    Membership.objects.create(
        person=found["contact"], team=Team.objects.create(slug="oc", name="Other C", kind=kind),
        stage="active", started_on=timezone.localdate(), stage_since_on=timezone.localdate(),
    )  # fmt: skip
    return found


# What the guard says -------------------------------------------------------------------------


class Match:
    """As much of a resolver's answer as the guard looks at."""

    def __init__(self, name):
        self.url_name = name


def guard(rf, name, who, method):
    """``in``, or what the guard answers instead."""
    request = rf.generic(method, "/")
    request.user, request.session = who, {"proved_at": timezone.now().timestamp()}
    request.resolver_match = Match(name)
    try:
        answer = PolicyMiddleware(lambda _request: None).process_view(request, None, [], {})
    except PermissionDenied:
        return "no"
    if answer is None:
        return "in"
    return {302: "login" if "login" in answer.get("Location", "") else "second"}.get(
        answer.status_code, answer.status_code
    )


def declared():
    """Name → who comes in."""
    rows = {}
    for line in DECLARED.read_text().splitlines():
        if line and not line.startswith("#"):
            name, *who = line.split()
            rows[name] = set().union(*(WORDS.get(word, {word}) for word in who))
    return rows


def test_every_address_has_a_row_and_every_row_an_address():
    rows = declared()
    assert set(every()) - {""} - rows.keys() == set()
    assert rows.keys() - set(every()) == set()


def test_guard_says_what_is_declared_for_every_role_and_method(rf, visitors, settings):
    settings.DEMO = False
    who = {
        **visitors, "stranger": AnonymousUser(),
        "disabled": AnonymousUser(),  # the session of somebody who is not active is nobody's
    }  # fmt: skip
    who["resting"].resting = frozenset({"administrator", "curator", "hr", "legal"})
    cells, wrong = 0, []
    for name, opens in declared().items():
        for role in ROLES:
            for method in METHODS:
                cells += 1
                said = guard(rf, name, who[role], method)
                page = method in {"GET", "POST"} or name.startswith(ANY_METHOD)
                wanted = {"in"} if role in opens else {"no", "login", "second"}
                if said not in (wanted if page or policy_for(name) is None else {405}):
                    wrong.append((name, role, method, said))
    print(f"{cells} cells, {len(wrong)} not as declared")
    assert (cells > 5_000, wrong) == (True, [])


# What the pages say --------------------------------------------------------------------------

# Whose key stands in the address; by the first part of the route that fits.
OBJECTS = {
    "suggestions/": "campaigns.Suggestion", "situation/topics/": "campaigns.Topic",
    "topics/": "campaigns.Topic", "posts/": "campaigns.Post", "ideas/": "campaigns.Proposal",
    "desk/views/": "ambassadors.SavedView", "desk/suggestions/": "campaigns.Suggestion",
    "desk/topics/": "campaigns.Topic", "desk/ideas/": "campaigns.Proposal",
    "takeovers/": "campaigns.Takeover", "desk/holds/": "campaigns.HoldRecord",
    "desk/disclosure/": "campaigns.DisclosureTable", "desk/pictures/": "campaigns.Picture",
    "roster/views/": "ambassadors.SavedView", "me/teams/": "ambassadors.Membership",
    "me/nominations/": "people.Nomination", "people/terms/": "ambassadors.Membership",
    "people/calls/": "people.Call", "people/applications/": "people.Application",
    "training/courses/": "people.Course", "training/dates/": "people.Session",
    "training/seats/": "people.Booking", "training/terms/": "ambassadors.Membership",
    "people/training/teams/": "ambassadors.Team", "people/training/courses/": "people.Course",
    "people/training/dates/": "people.Session", "speakers/talks/": "reception.Talk",
    "speakers/": "reception.Speaker", "experts/talks/": "reception.Talk",
    "me/speaking/talks/": "reception.Talk", "talks/": "reception.TalkRequest",
    "questions/": "reception.Inquiry", "me/accounts/": "integrations.ConnectedAccount",
    "channels/": "integrations.ConnectedAccount", "pictures/": "campaigns.Picture",
    "people/": "ambassadors.Person", "people/leaving/": "ambassadors.Person",
}  # fmt: skip
OTHERS = {
    "key": lambda: apps.get_model("curation.Draft").objects.get().key,
    "slug": lambda: "k",
    "version": lambda: 1, "number": lambda: 1, "item": lambda: 1, "rule": lambda: 1,
    "face": lambda: 1, "day": lambda: str(timezone.localdate()), "quarter": lambda: "2026-3",
    "network": lambda: "mastodon", "server": lambda: "x", "language": lambda: "en",
    "editor": lambda: Person.objects.filter(name__startswith="Jona ").get().pk,
    "token": lambda: "x", "signed": lambda: "x", "old": lambda: "x", "code": lambda: "abc",
    "rest": lambda: "Users",
    "role": lambda: "employee", "provider_id": lambda: "company", "month": lambda: "2026-10",
    "organization_slug": lambda: "company",
}  # fmt: skip


def routes():
    """Name, and an address of something that belongs to the planted person where there is one."""
    for entry in get_resolver().url_patterns:
        if not isinstance(entry, URLPattern):
            continue
        route, keys = str(entry.pattern), {}
        for name in entry.pattern.converters:
            if route.startswith("wall/api/posts/"):
                keys[name] = apps.get_model("integrations.WallPost").objects.get().pk
            elif name == "pk":
                fits = [part for part in OBJECTS if route.startswith(f"{part}<")]
                keys[name] = _planted_key(OBJECTS[fits[0]]) if fits else 1
            elif name == "slug" and "teams/" in route:
                keys[name] = "t"
            elif name == "slug" and "calls/" in route:
                keys[name] = "c"
            else:
                keys[name] = OTHERS[name]()
        yield entry.name, reverse(entry.name, kwargs=keys), bool(keys)


def _planted_key(label):
    model = apps.get_model(label)
    rows = model._default_manager.order_by("pk")
    if model is Person:
        rows = rows.filter(name__startswith="Jona ")
    found = rows.values_list("pk", flat=True).first()
    return found or 1


def labels(words):
    """Where each planted word stands: ``Model.column``; the person's row before its copies."""
    found = {word: set() for word in words}
    for model in apps.get_models():
        texts = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField | models.JSONField)
        ]
        for row in model._default_manager.values(*texts) if texts else ():
            for name, value in row.items():
                for word in words:
                    if word in str(value):
                        found[word].add(f"{model.__name__}.{name}")
    return {
        word: min(places, key=lambda at: (not at.startswith("Person."), at), default=BYTES)
        for word, places in found.items()
    }


# What colleagues may read of somebody, by the address; all of it is what the page is for.
BYTES = "a picture's bytes"
CARD = {"Person.name", "ContactCard.job", "ContactCard.sentence_en"}
NAME, ROW, PICTURE = {"Person.name"}, {"Person.name", "Person.job_title"}, {"Picture.alt_en"}
TALK, MAIL = {"Person.name", "Talk.title"}, {"Person.name", "Person.email"}
REMARKS = {"Person.name", "Comment.text", "Picture.alt_en"}
TOLD = {
    "everybody": {"ask": CARD, "ask_card": CARD},  # with their consent
    # the owner of a topic and the lead of a team, whom everybody may write to
    "people": {"topic": MAIL, "teams": NAME, "team": MAIL},
    "administrator": {
        "roles": MAIL,
        **dict.fromkeys(("audit", "channels", "leave", "looks"), NAME),
    },
    "auditor": dict.fromkeys(("audit", "looks"), NAME),
    "legal": {"review": NAME, "reviews": NAME},
    "curator": {
        **dict.fromkeys(
            ("desk", "issue_edit", "topic_list", "topic_new", "topic_edit", "desk_takeovers",
             "review", "reviews", "channels"),
            NAME,
        ),
        **dict.fromkeys(
            ("suggestion_new", "pictures", "picture_choice", "picture_edit", "face_add",
             "picture_cut"),
            PICTURE,
        ),
        "picture": {BYTES},  # curators choose from what came with ideas
        "takeover": {"Person.name", "Takeover.rules"},
        "desk_idea": {"Person.name", "Proposal.answer", "Proposal.text"},
        **dict.fromkeys(("suggestion_edit", "comment"), REMARKS),
    },
    "hr": {
        **dict.fromkeys(("roster", "pipeline", "term"), ROW),
        **dict.fromkeys(
            ("team_list", "desk_training", "desk_session", "widgets", "leave"), NAME
        ),
        "team_edit": MAIL,
        "talk_requests": TALK,
        "talk_request": {*TALK, "TalkRequest.tech_note", "TalkRequest.travel_note"},
        "talk_sheet": {
            *TALK, *ROW, "Speaker.bio", "Speaker.pronunciation", "Speaker.tech", "Talk.abstract",
            "TalkRequest.tech_note",
        },
    },
}  # fmt: skip
# Whoever asks for these by somebody else's number hears that there is nothing.
HIDDEN = (
    "post", "link_svg", "link_png", "idea", "my_term", "my_nomination", "booking", "booking_calendar", "training_room", "training_start", "speaking_talk",
    "post_evidence", "disconnect",
)  # fmt: skip
# These lead back with the same sentence as for a number that nobody has.
GONE = dict.fromkeys(("my_term", "my_nomination"), "/me/teams/")
# The pages of everybody are opened as these; the others open what is theirs, or somebody's.
_ALL_PAGES = {"stranger", "employee", "curator"}


def may_read(role, name):
    found = set(TOLD["everybody"].get(name, ()))
    if role != "stranger":
        found |= set(TOLD["people"].get(name, ()))
    return found | set(TOLD.get(role, {}).get(name, ()))


@pytest.mark.parametrize("role", ["stranger", *PEOPLE])
def test_answers_tell_nothing_of_somebody_else(role, planted, visitors):
    _owner, words = planted
    Call.objects.update(timezone="Europe/Berlin")
    where, opens, found = labels(words), declared(), list(routes())
    visitor = browser(visitors[role]) if role != "stranger" else Client()
    visitor.raise_request_exception = False
    cells, leaks, broken, shown = 0, [], [], []
    for name, path, foreign in found:
        if role not in opens[name] or name in {"stepup", "account_logout"}:
            continue
        if not (foreign or FULL or role in _ALL_PAGES or "employee" not in opens[name]):
            continue
        for method in ("get", "post") if foreign else ("get",):
            answer = getattr(visitor, method)(path)
            cells += 1
            body = b"".join(answer) if answer.streaming else answer.content
            seen = {where[word] for word in words if word.encode() in body}
            leaks += [(name, method, label) for label in sorted(seen - may_read(role, name))]
            broken += [(name, method)] if answer.status_code >= 500 else []
            hidden = name in HIDDEN and (name, role) != (
                "training_room",
                "hr",
            )  # who keeps the lists
            if hidden and answer.status_code not in {404, 405}:
                there = answer.headers.get("Location", "").partition("?")[0]
                shown += [(name, method, there)] if there != GONE.get(name) else []
    print(f"{role}: {cells} answers, {len(leaks)} leaks")
    assert (leaks, broken, shown) == ([], [], [])


def test_planted_words_would_be_found(planted, visitors):
    """The mutant: a page that forgets to ask whose it is."""
    owner, words = planted
    where = labels(words)
    body = browser(owner).get(f"/posts/{owner.post_set.order_by('pk').first().pk}/").content
    seen = {where[word] for word in words if word.encode() in body}
    assert {"Post.full_text", "Attempt.detail"} <= seen
    assert seen - may_read("employee", "post") != set()


def test_session_of_somebody_who_is_not_active_opens_nothing(visitors):
    visitor = browser(visitors["disabled"])
    assert visitor.get("/me/").status_code == 200
    Person.objects.filter(pk=visitors["disabled"].pk).update(is_active=False)
    assert visitor.get("/me/")["Location"].startswith("/accounts/login/")
