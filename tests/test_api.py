"""The door for programs: who gets in, what they see, and how it is told when they do not."""

import datetime as dt
import json
import re
import threading
import uuid

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from advocacy.api import urls
from advocacy.api.schema import document
from ambassadors import retention
from ambassadors.models import (
    AuditEntry,
    Guideline,
    GuidelineVersion,
    LoginSession,
    Membership,
    Person,
    Site,
    Team,
    TeamKind,
)
from campaigns import holds, leaving
from campaigns.models import (
    Briefing,
    Campaign,
    LightChange,
    Post,
    Programme,
    Proposal,
    ShortLink,
    Suggestion,
)
from integrations import api_answers, api_tokens
from integrations.models import ApiAnswer, ApiToken
from people.models import Course, Session

from .conftest import browser
from .corpus import cases, value

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
EVERYTHING = list(api_tokens.SCOPES)


@pytest.fixture(autouse=True)
def _fresh_counts():
    cache.clear()


class Program:
    """Something that calls the API with a token."""

    def __init__(self, key):
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def __call__(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.generic(
            method, V1 + path, "" if body is None else content,
            content_type=headers.pop("Content-Type", "application/json" if body is not None else ""),
            headers={**self.headers, **headers},
        )  # fmt: skip


def key_of(person, *scopes, kind="personal", lasts=30):
    token, key = api_tokens.make(
        person=Person.objects.get(pk=person.pk), kind=kind, name="Intranet",
        scopes=list(scopes) or EVERYTHING, lasts=dt.timedelta(days=lasts), now=timezone.now(),
    )  # fmt: skip
    return token, key


def program(person, *scopes, **more):
    made = Program(key_of(person, *scopes, **more)[1])
    made("GET", "/token")  # the day of its last use is written
    return made


@pytest.fixture
def everybody(person):
    """Somebody with every role that a scope needs."""
    return person("Alva Brandt", "curator", "hr", "auditor", "administrator")


def problem(answer, status, kind):
    said = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (said["type"], said["status"]) == (f"urn:botschaft:problem:{kind}", status)
    return said


# Who gets in -----------------------------------------------------------------------------------


def test_first_call_says_what_the_token_opens(jona):
    answer = program(jona, "topics:read", "posts:read")("GET", "/token")
    assert answer.json()["scopes"] == ["posts:read", "topics:read"]
    assert answer["RateLimit"].startswith('"token";r=598;t=')
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "said",
    ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic am9uYTp4", "Bearer bot_ÿ", "Token x"],
)
def test_who_shows_no_good_token_is_a_stranger(said):
    answer = Client().get(
        f"{V1}/topics", headers={"Authorization": said.encode().decode("latin-1")}
    )
    problem(answer, 401, "token")
    assert answer["WWW-Authenticate"] == 'Bearer realm="botschaft", error="invalid_token"'


def test_token_logs_nobody_in(jona):
    ask = program(jona)
    assert (ask("GET", "/token").cookies, ask("POST", "/ideas", {"text": "x"}).cookies) == ({}, {})
    assert LoginSession.objects.count() == 0


def test_a_session_opens_nothing(jona):
    browser = Client()
    browser.force_login(jona)
    problem(browser.get(f"{V1}/topics"), 401, "token")


def test_key_is_found_by_scanners_and_kept_nowhere(jona):
    token, key = key_of(jona)
    assert re.fullmatch(r"bot_[0-9A-Za-z]{42}", key)
    assert api_tokens.is_key(key)
    assert not api_tokens.is_key(key[:-1] + ("a" if key[-1] != "a" else "b"))
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert key not in str(row)
    assert (row["shown"], row["used_on"]) == (key[:10], None)
    assert key not in str(list(AuditEntry.objects.values()))


def test_last_use_is_kept_as_a_day(jona):
    token, key = key_of(jona)
    Program(key)("GET", "/token")
    assert ApiToken.objects.get(pk=token.pk).used_on == timezone.now().date()


def test_expired_and_ended_keys_open_nothing(jona):
    token, key = key_of(jona)
    ask = Program(key)
    assert ask("GET", "/token").status_code == 200
    ApiToken.objects.filter(pk=token.pk).update(expires_at=token.made_at + dt.timedelta(seconds=1))
    later = token.made_at + dt.timedelta(days=1)
    assert api_tokens.find(key, now=later) is None
    ApiToken.objects.filter(pk=token.pk).update(expires_at=later)
    assert api_tokens.end(token=token, by=jona, now=timezone.now())
    problem(ask("GET", "/token"), 401, "token")


def test_nobody_makes_a_key_for_longer_than_a_year(jona):
    token, _key = key_of(jona, lasts=4000)
    assert token.expires_at == token.made_at + dt.timedelta(days=365)


def test_leavers_keys_are_dead_at_once(person, everybody):
    leaver = person("Selin Aydın", "administrator")
    asks = [program(leaver), program(leaver, "topics:read", kind="installation")]
    assert [ask("GET", "/token").status_code for ask in asks] == [200, 200]
    leaving.leave(person=leaver, by=everybody, now=timezone.now())
    assert [ask("GET", "/token").status_code for ask in asks] == [401, 401]
    assert not ApiToken.objects.filter(person=leaver, ended_at__isnull=True).exists()
    assert AuditEntry.objects.filter(act="api.key_ended").count() == 2


def test_leaving_page_names_keys_that_programs_would_lose(person, everybody):
    leaver = person("Selin Aydın", "administrator")
    key_of(leaver, "topics:read", kind="installation")
    page = browser(everybody).get(f"/people/{leaver.pk}/leave/").content.decode()
    assert "The key “Intranet” of a program ends." in page


def test_whoever_is_locked_out_has_no_key(jona):
    ask = program(jona)
    Person.objects.filter(pk=jona.pk).update(is_active=False)
    problem(ask("GET", "/token"), 401, "token")


def test_scope_works_only_while_its_person_may(mirja):
    ask = program(mirja, "drafts:write")
    assert ask("GET", "/drafts").status_code == 200
    mirja.role_set.all().delete()
    problem(ask("GET", "/drafts"), 403, "scope")


def test_key_carries_no_scope_that_its_person_lacks(jona):
    token, _key = key_of(jona)
    assert {"lights:write", "people:read", "figures:read", "drafts:write"} & set(
        token.scopes
    ) == set()


def test_installation_keys_are_made_by_administrators_and_lose_what_they_lose(person):
    with pytest.raises(api_tokens.TokenRefused):
        key_of(person("Jona Harms"), kind="installation")
    boss = person("Selin Aydın", "administrator", "hr")
    ask = program(boss, "people:read", "topics:read", kind="installation")
    assert ask("GET", "/people").status_code == 200
    boss.role_set.filter(name="hr").delete()
    problem(ask("GET", "/people"), 403, "scope")
    boss.role_set.all().delete()
    problem(ask("GET", "/topics"), 403, "scope")


def addresses():
    """Method, path and scope of each operation, with numbers that nobody has."""
    example = {"id": "987654321", "day": "2001-01-01", "month": "2001-01", "key": "aaaaaaaaaa"}
    for path, item in document()["paths"].items():
        for method, about in item.items():
            names = [p["name"] for p in about.get("parameters", ()) if p["in"] == "path"]
            at = path
            for name in names:
                at = at.replace(f"{{{name}}}", example.get(name, example["day"]))
            yield about["operationId"], method.upper(), at, about["x-scope"], bool(names)


OPERATIONS = [pytest.param(*row[1:], id=row[0]) for row in addresses()]


def test_every_address_stands_in_the_schema():
    named = {p.name for p in urls.urlpatterns} - {"api_schema"}
    assert len(named) == len(document()["paths"]) == 34
    assert len(OPERATIONS) == 37


@pytest.mark.parametrize(("method", "path", "scope", "finds"), OPERATIONS)
def test_each_address_asks_for_its_scope(method, path, scope, finds, everybody):
    others = [name for name in EVERYTHING if name != scope]
    without, stranger = program(everybody, *others), Program("")
    problem(stranger(method, path), 401, "token")
    if scope:
        problem(without(method, path), 403, "scope")
    token, key = key_of(everybody, *([scope] if scope else others))
    ask = Program(key)
    assert ask(method, path, {} if method != "GET" else None).status_code not in {401, 403}
    if finds and method == "GET":
        problem(ask(method, path), 404, "not-found")
    ApiToken.objects.filter(pk=token.pk).update(ended_at=timezone.now())
    problem(ask(method, path), 401, "token")


# What they see ---------------------------------------------------------------------------------


def test_topics_of_one_and_three(jona, topic, django_assert_num_queries):
    ask = program(jona)
    with django_assert_num_queries(2):
        assert [t["slug"] for t in ask("GET", "/topics").json()["items"]] == ["wind"]
    for number in range(2):
        type(topic).objects.create(
            slug=f"t{number}", title="T", rule="R", light_since=timezone.now()
        )
    with django_assert_num_queries(2):
        assert len(ask("GET", "/topics").json()["items"]) == 3


def test_suggestions_of_one_and_three(jona, suggestion, django_assert_num_queries):
    ask = program(jona)
    with django_assert_num_queries(4):
        found = ask("GET", "/suggestions").json()["items"]
    assert [(s["title"], len(s["wordings"])) for s in found] == [("Six years", 1)]
    for number in range(2):
        Suggestion.objects.create(
            topic=suggestion.topic, title=f"S{number}", author=suggestion.author, state="approved",
            approved_by=suggestion.approved_by, approved_at=timezone.now(),
            changed_at=timezone.now(),
        )  # fmt: skip
    with django_assert_num_queries(4):
        assert len(ask("GET", "/suggestions").json()["items"]) == 3


def test_hold_is_seen_at_once(jona, mirja, suggestion):
    ask, path = program(jona), f"/suggestions/{suggestion.pk}"
    assert ask("GET", path).status_code == 200
    for scope in (suggestion.topic, suggestion, Programme.the()):
        holds.hold(scope=scope, by=mirja, reason="Wait.", now=timezone.now())
        assert ask("GET", "/suggestions").json()["items"] == []
        problem(ask("GET", path), 404, "not-found")
        holds.release(scope=scope, by=mirja, now=timezone.now())
        assert ask("GET", path).status_code == 200


def test_what_is_embargoed_or_for_others_is_not_there(jona, everybody, suggestion):
    mine, for_all = program(jona), program(everybody, "suggestions:read", kind="installation")
    path = f"/suggestions/{suggestion.pk}"
    assert [ask("GET", path).status_code for ask in (mine, for_all)] == [200, 200]
    kind = TeamKind.objects.create(slug="m", behaviour="plain", name_de="M", name_en="M")
    team = Team.objects.create(slug="t", name="T", kind=kind)
    suggestion.teams.add(team)
    assert [ask("GET", path).status_code for ask in (mine, for_all)] == [404, 404]
    suggestion.teams.clear()
    Suggestion.objects.update(embargo_until=timezone.now() + dt.timedelta(hours=1))
    assert [ask("GET", path).status_code for ask in (mine, for_all)] == [404, 404]


def test_own_posts_only(jona, mirja, suggestion, mastodon, account_on, queue):
    queue(jona, account_on(jona, mastodon))
    theirs = queue(mirja, account_on(mirja, mastodon, "2"))
    ask = program(jona)
    mine = ask("GET", "/posts").json()["items"]
    assert [(p["network"], p["state"]) for p in mine] == [("mastodon", "queued")]
    problem(ask("GET", f"/posts/{theirs.post_id}"), 404, "not-found")
    assert ask("GET", "/links").json()["items"] == []


def test_no_scope_of_an_installation_reads_posts(everybody):
    token, key = key_of(everybody, "posts:read", "topics:read", kind="installation")
    assert token.scopes == ["topics:read"]
    problem(Program(key)("GET", "/posts"), 403, "scope")


def test_nothing_in_the_schema_counts_people_but_steps():
    """A word that would tell on somebody is a word nobody may add unseen."""
    told = {
        f"{name}.{field}"
        for name, schema in document()["components"]["schemas"].items()
        for field in schema.get("properties", {})
        if re.search(r"read|opened|seen|count|last|views|active|posts|people", field)
    }
    assert told == {
        "CellBody.people",
        "CellBody.posts",
        "PostBody.reposts",
    }  # the last is one's own


# Lists -----------------------------------------------------------------------------------------


def test_pages_follow_each_other_while_rows_come_in(jona, topic):
    for number in range(6):
        type(topic).objects.create(
            slug=f"t{number}", title="T", rule="R", light_since=timezone.now()
        )
    ask, seen, cursor = program(jona), [], ""
    for _page in range(4):
        page = ask("GET", f"/topics?limit=2{cursor}").json()
        seen += [t["id"] for t in page["items"]]
        type(topic).objects.filter(pk=seen[0]).delete() if len(seen) == 2 else None
        cursor = f"&cursor={page['next']}"
    assert (len(seen), len(set(seen)), page["next"]) == (7, 7, None)


@pytest.mark.parametrize(
    "query",
    ["x=1", "limit=0", "limit=201", "limit=１２", "limit=1&limit=2", "limit=", "archived=maybe",
     "format=json", "ordering=owner__password", "owner__password__startswith=p", "cursor="],
)  # fmt: skip
def test_addresses_ask_for_declared_words_only(query, jona):
    problem(program(jona)("GET", f"/topics?{query}"), 400, "query")


def test_cursor_of_elsewhere_or_of_nobody_leads_nowhere(jona, topic):
    type(topic).objects.create(slug="t", title="T", rule="R", light_since=timezone.now())
    ask = program(jona)
    cursor = ask("GET", "/topics?limit=1").json()["next"]
    for path in (
        f"/teams?cursor={cursor}",
        f"/topics?archived=yes&cursor={cursor}",
        "/topics?cursor=x",
    ):
        problem(ask("GET", path), 404, "not-found")


@pytest.mark.parametrize("case", cases("number"))
def test_numbers_of_the_corpus(case, jona):
    ask = program(jona)
    found = value(case)
    paths = (
        [f"/topics/{found}", f"/topics?limit={found}", f"/topics?cursor={found}"]
        if isinstance(found, str)
        else [f"/topics?limit={found['page_size']}"]
    )
    for path in paths:
        answer = ask("GET", path.replace(" ", "%20"))
        assert answer.status_code in case["status"], path
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("case", cases("search"))
def test_words_of_the_corpus_are_no_filter(case, jona):
    assert program(jona)("GET", f"/topics?archived={value(case)}").status_code == 400


# Errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/topics/", "/topics/0", "/topics/x", "/../x"]
)
def test_unknown_addresses_are_problems(path, jona):
    problem(program(jona)("GET", path), 404, "not-found")
    problem(Client().get(f"/api/v2{path}"), 404, "not-found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_problems(method, jona):
    answer = program(jona)(method, "/topics")
    problem(answer, 405, "method")
    assert answer["Allow"] == "GET, HEAD"


def test_nul_in_an_address_is_a_problem(jona):
    problem(program(jona)("GET", "/topics?archived=%00"), 400, "request")


def test_foreign_hosts_are_a_problem(jona, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    problem(program(jona)("GET", "/topics", Host="evil.example"), 400, "request")


def test_our_own_mistake_is_a_problem(jona, monkeypatch):
    ask = program(jona)
    ask.client.raise_request_exception = False
    monkeypatch.setattr("advocacy.api.topics.Topic.objects.filter", lambda **_: 1 / 0)
    problem(ask("GET", "/topics"), 500, "broken")


def test_other_media_types_are_problems(jona):
    ask = program(jona)
    problem(ask("GET", "/topics", Accept="text/html"), 406, "accept")
    for kind in (
        "text/plain",
        "application/json; charset=utf-7",
        "application/x-www-form-urlencoded",
    ):
        answer = ask("POST", "/ideas", b'{"text": "x"}', **{"Content-Type": kind})
        problem(answer, 415, "media-type")
    assert Proposal.objects.count() == 0


@pytest.mark.parametrize("case", cases("json"))
def test_bodies_of_the_corpus(case, jona, mirja):
    found = case.get("raw_json") or value(case)
    for ask, path in ((program(jona), "/ideas"), (program(mirja), "/drafts")):
        answer = ask("POST", path, found)
        assert answer.status_code in case["status"]
        assert answer["Content-Type"] == "application/problem+json"
    assert (Proposal.objects.count(), Suggestion.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "body",
    [b'{"text": "\\ud800"}', b'{"text": NaN}', b'{"text": "x", "text": "y"}', b"\xff", b"", b"null",
     b'{"text": ' + b"9" * 5000 + b"}", b'{"text": true}', b'{"text": "x", "person": 1}',
     b'{"text": "x", "show_name": "yes"}', b'{"text": ""}'],
)  # fmt: skip
def test_bodies_that_do_not_fit(body, jona):
    answer = program(jona)("POST", "/ideas", body, **{"Content-Type": "application/json"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert Proposal.objects.count() == 0


def test_body_that_is_too_large(jona):
    problem(program(jona)("POST", "/ideas", {"text": "x" * 1_000_001}), 413, "too-large")


@pytest.mark.parametrize("case", cases("text"))
def test_texts_of_the_corpus(case, jona):
    raw = case.get("raw_json", "").replace('"body"', '"text"')
    answer = program(jona)("POST", "/ideas", raw or {"text": value(case)})
    if raw:
        assert answer.status_code in case["status"]
    assert answer.status_code in {201, 400, 413, 422}
    if answer.status_code == 201:
        assert Proposal.objects.get().text == answer.json()["text"]


def test_too_many_requests_are_told_when_to_go_on(jona, settings):
    settings.API_A_MINUTE = 2
    ask, other = program(jona), program(jona)
    assert ask("GET", "/token").status_code == 200
    answer = ask("GET", "/token")
    problem(answer, 429, "too-many")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert answer["RateLimit-Policy"] == '"token";q=2;w=60'
    assert other("GET", "/token").status_code == 200


def test_problems_speak_the_language_that_is_asked_for(jona):
    ask = program(jona)
    assert (
        "Schreib"
        in ask("POST", "/ideas", {"text": " "}, Accept_Language="de").json()["errors"][0]["detail"]
    )
    assert "Write" in ask("POST", "/ideas", {"text": " "}).json()["errors"][0]["detail"]


# Writing ---------------------------------------------------------------------------------------


def test_light_changes_for_who_has_seen_it(mirja, topic):
    ask, path = program(mirja), f"/topics/{topic.pk}"
    seen = ask("GET", path)["ETag"]
    body = {"light": "careful", "why": "The council decides on Tuesday."}
    problem(ask("PUT", f"{path}/light", body), 428, "if-match")
    problem(ask("PUT", f"{path}/light", body, If_Match="nonsense"), 400, "request")
    answer = ask("PUT", f"{path}/light", body, If_Match=seen)
    assert (answer.status_code, answer.json()["light"]) == (200, "careful")
    assert LightChange.objects.latest("pk").actor_id == mirja.pk
    problem(ask("PUT", f"{path}/light", body, If_Match=seen), 412, "changed")
    assert ask("PUT", f"{path}/light", body, If_Match=answer["ETag"]).status_code == 200
    assert LightChange.objects.count() == 1


def test_programs_hold_and_people_release(mirja, topic):
    ask, path = program(mirja), f"/topics/{topic.pk}"
    answer = ask("POST", f"{path}/hold", {"reason": "The grid operator asked us to wait."})
    assert (answer.status_code, answer.json()["scope"]) == (201, "topic")
    assert ask("GET", path).json()["light"] == "hold"
    body = {"light": "share", "why": "Go on."}
    etag = ask("GET", path)["ETag"]
    problem(ask("PUT", f"{path}/light", body, If_Match=etag), 409, "state")
    assert "release" not in json.dumps(list(document()["paths"]))
    assert ask("GET", "/situation").json()["lines"][0]["light"] == "hold"


DRAFT = {"title": "Blades arrive", "wordings": [{"text": "They came by night. [where you stood]"}]}


def test_draft_is_written_changed_and_handed_in_and_approved_by_nobody_here(
    mirja, topic, suggestion
):
    ask = program(mirja)
    made = ask("POST", "/drafts", {**DRAFT, "topic": topic.pk})
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    path = made["Location"].removeprefix(V1)
    change = {
        "tone": "proud", "facts": ["14 turbines"], "embargo_until": "2040-05-01T08:30:00+02:00",
        "link_url": "https://nordwind.example/a", "audience_languages": ["en"],
        "audience_interests": ["wind"], "language": "en",
        "wordings": [{"name": "Short", "language": "en", "text": "They came. [where you stood]"}],
    }  # fmt: skip
    done = ask("PATCH", path, change, If_Match=made["ETag"])
    said = done.json()
    assert done.status_code == 200
    assert said["embargo_until"] == "2040-05-01T06:30:00Z"
    assert (said["title"], said["facts"], said["tone"]) == (
        "Blades arrive",
        ["14 turbines"],
        "proud",
    )
    assert said["audience_interests"] == ["wind"]
    problem(ask("PATCH", path, {"title": "Other"}, If_Match=made["ETag"]), 412, "changed")
    handed = ask("POST", f"{path}/review", If_Match=done["ETag"])
    assert (handed.status_code, handed.json()["state"]) == (200, "in_review")
    problem(ask("PATCH", path, {"title": "Other"}, If_Match=handed["ETag"]), 409, "state")
    assert "approve" not in json.dumps(list(document()["paths"]))
    row = Suggestion.objects.get(pk=made.json()["id"])
    assert (row.author, row.approved_by) == (mirja, None)
    assert row.versions.count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [({"topic": 987654321}, "topic"), ({"title": " "}, "title"), ({"link_url": "http://x.de"}, "link_url"),
     ({"embargo_until": "2040-01-02T00:00:00Z", "expires_at": "2040-01-01T00:00:00Z"}, "expires_at"),
     ({"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"), ({"teams": [5]}, "teams"),
     ({"audience_interests": ["nothing"]}, "audience_interests"),
     ({"wordings": [{"text": "a" + "\u0301" * 50}]}, "wordings/0/text")],
)  # fmt: skip
def test_draft_that_makes_no_sense_is_told_at_its_field(change, field, mirja, topic):
    answer = program(mirja)("POST", "/drafts", {**DRAFT, "topic": topic.pk, **change})
    assert [e["field"] for e in problem(answer, 422, "refused")["errors"]] == [field]
    assert Suggestion.objects.count() == 0


def test_draft_without_a_wording_is_not_handed_in(mirja, topic):
    ask = program(mirja)
    made = ask("POST", "/drafts", {"title": "Blades", "topic": topic.pk})
    path = made["Location"].removeprefix(V1)
    problem(ask("POST", f"{path}/review", If_Match=made["ETag"]), 422, "refused")


def test_same_key_and_body_are_done_once(jona):
    ask, key = program(jona), uuid.uuid4().hex
    first = ask("POST", "/ideas", {"text": "A day at the port."}, Idempotency_Key=key)
    again = ask("POST", "/ideas", {"text": "A day at the port."}, Idempotency_Key=key)
    assert (first.status_code, first.json(), first["Location"]) == (
        201, again.json(), again["Location"],
    )  # fmt: skip
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert Proposal.objects.count() == 1
    problem(ask("POST", "/ideas", {"text": "Another."}, Idempotency_Key=key), 422, "other-request")
    other = program(jona)("POST", "/ideas", {"text": "A day at the port."}, Idempotency_Key=key)
    assert (other.status_code, Proposal.objects.count()) == (201, 2)


def test_refused_write_leaves_its_key_free(jona):
    ask = program(jona)
    problem(ask("POST", "/ideas", {"text": " "}, Idempotency_Key="k"), 422, "refused")
    assert ask("POST", "/ideas", {"text": "x"}, Idempotency_Key="k").status_code == 201
    problem(ask("POST", "/ideas", {"text": "x"}, Idempotency_Key="k" * 65), 400, "request")


def test_key_is_free_again_after_a_day(jona):
    token, key = key_of(jona)
    Program(key)("POST", "/ideas", {"text": "x"}, Idempotency_Key="k")
    now = timezone.now()
    with pytest.raises(api_answers.OtherRequest):
        api_answers.begin(token=token, key="k", digest="other", now=now)
    assert (
        api_answers.begin(token=token, key="k", digest="other", now=now + api_answers.KEPT) is None
    )
    retention.run(now=now + dt.timedelta(days=3), on=now.date())
    assert ApiAnswer.objects.count() == 0


def test_what_died_at_work_is_done_again(jona):
    token, _key = key_of(jona)
    now = timezone.now()
    assert api_answers.begin(token=token, key="k", digest="d", now=now) is None
    with pytest.raises(api_answers.AtWork):
        api_answers.begin(token=token, key="k", digest="d", now=now)
    later = now + api_answers.AT_WORK
    assert api_answers.begin(token=token, key="k", digest="d", now=later) is None


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_done_once(jona):
    _token, key = key_of(jona)
    together, statuses = threading.Barrier(6), []

    def send():
        together.wait()
        answer = Program(key)("POST", "/ideas", {"text": "At once."}, Idempotency_Key="k")
        statuses.append(answer.status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Proposal.objects.count() == 1
    assert set(statuses) <= {201, 409}
    assert ApiAnswer.objects.get().status == 201


# The description -------------------------------------------------------------------------------


def test_schema_is_open_and_names_nobody(jona, suggestion):
    answer = Client().get(f"{V1}/openapi.json")
    said = answer.json()
    assert (answer.status_code, said["openapi"]) == (200, "3.1.0")
    assert jona.name not in answer.content.decode()
    taken = {"NewDraft", "DraftChange", "NewIdea", "LightBody", "HoldBody", "NewWording"}
    closed = {
        n
        for n, s in said["components"]["schemas"].items()
        if s.get("additionalProperties") is False
    }
    assert closed == taken


def test_campaigns_and_the_rest_answer(everybody, suggestion):
    Campaign.objects.create(
        slug="c", title="C", hashtag="c", description="d", begins_on="2020-01-01",
        ends_on="2020-02-01", submission=uuid.uuid4(), created_at=timezone.now(),
        changed_at=timezone.now(),
    )  # fmt: skip
    ask = program(everybody)
    lists = ["topics", "suggestions", "drafts", "guidelines", "briefings", "campaigns", "ideas",
             "teams", "people", "training-dates", "contact-cards", "inquiry-months", "figures",
             "posts", "links", "situation", "token"]  # fmt: skip
    assert {name: ask("GET", f"/{name}").status_code for name in lists} == dict.fromkeys(lists, 200)
    assert ask("GET", "/campaigns?running=yes").json()["items"] == []
    assert len(ask("GET", "/campaigns").json()["items"]) == 1


# Its pages -------------------------------------------------------------------------------------


def test_key_is_shown_once_and_ended_on_its_page(jona, mirja):
    visitor = browser(jona)
    page = visitor.post(
        "/programs/keys/",
        {"name": "Intranet", "scopes": ["topics:read", "lights:write"], "days": "30"},
    )
    key = re.search(r"bot_[0-9A-Za-z]{42}", page.content.decode())[0]
    token = ApiToken.objects.get()
    assert (token.scopes, token.kind, token.person) == (["topics:read"], "personal", jona)
    assert token.expires_at - token.made_at == dt.timedelta(days=30)
    assert Program(key)("GET", "/topics").status_code == 200
    assert key not in visitor.get("/programs/").content.decode()
    assert browser(mirja).post(f"/programs/keys/{token.pk}/end/").status_code == 404
    assert visitor.post(f"/programs/keys/{token.pk}/end/").status_code == 302
    assert Program(key)("GET", "/topics").status_code == 401


@pytest.mark.parametrize(
    "typed",
    [{}, {"name": "x"}, {"name": "", "scopes": "topics:read"}, {"name": "x" * 81, "scopes": "topics:read"},
     {"name": "x", "scopes": "nonsense", "days": "99999999999"}, {"name": "x", "scopes": "people:read"},
     {"name": "\x00\u202e", "scopes": "topics:read"}, {"name": "x", "scopes": "topics:read", "kind": "installation"}],
)  # fmt: skip
def test_key_that_makes_no_sense_is_refused_beside_its_field(typed, jona):
    page = browser(jona).post("/programs/keys/", typed)
    assert (page.status_code, ApiToken.objects.count()) == (422, 0)
    assert 'role="alert"' in page.content.decode()


def test_nobody_has_more_keys_than_they_can_look_after(jona):
    for _number in range(api_tokens.MOST):
        key_of(jona, "topics:read")
    with pytest.raises(api_tokens.TokenRefused):
        key_of(jona, "topics:read")


def test_keys_of_one_and_three(jona, django_assert_num_queries):
    visitor = browser(jona)
    key_of(jona, "topics:read")
    visitor.get("/programs/")
    with django_assert_num_queries(4):
        visitor.get("/programs/")
    for _number in range(2):
        key_of(jona, "topics:read")
    with django_assert_num_queries(4):
        assert visitor.get("/programs/").content.decode().count("/end/") == 3


def test_description_for_people_names_every_operation(jona):
    page = browser(jona).get("/programs/docs/").content.decode()
    assert page.count('class="apiop"') == len(OPERATIONS)
    assert re.findall(r'(?:src|href)="https?://(?!testserver|localhost)', page) == []


# Lists cost the same for one row and for three ---------------------------------------------------


def some_drafts(count, jona, mirja, topic):
    for number in range(count):
        draft = Suggestion.objects.create(
            topic=topic, title=f"D{number}", author=mirja, changed_at=timezone.now()
        )
        draft.variant_set.create(name="P", text="Text.")


def some_posts(count, jona, mirja, topic):
    for number in range(count):
        link = ShortLink.objects.create(code=f"code{number}", target="https://x.example/")
        Post.objects.create(
            person=jona, network="linkedin", how="copied", submission=uuid.uuid4(), text="T",
            full_text="T", language="en", own_share=50, sha256="0" * 64, link=link,
            created_at=timezone.now(),
        )  # fmt: skip


def some_ideas(count, jona, mirja, topic):
    for _number in range(count):
        Proposal.objects.create(
            person=jona, submission=uuid.uuid4(), text="T", created_at=timezone.now()
        )


def some_briefings(count, jona, mirja, topic):
    for number in range(count):
        day = timezone.localdate() - dt.timedelta(days=number)
        issue = Briefing.objects.create(day=day, note="Moin.", published_at=timezone.now())
        issue.briefingitem_set.create(topic=topic, position=0, line="share", rule="Tell it.")


def some_teams(count, jona, mirja, topic):
    site = Site.objects.create(slug="kiel", name="Kiel")
    for number in range(count):
        kind = TeamKind.objects.create(
            slug=f"k{number}", behaviour="plain", name_de="K", name_en="K"
        )
        Team.objects.create(slug=f"t{number}", name="T", kind=kind, site=site)


def some_terms(count, jona, mirja, topic):
    kind = TeamKind.objects.create(slug="k", behaviour="plain", name_de="K", name_en="K")
    for number in range(count):
        team = Team.objects.create(slug=f"t{number}", name="T", kind=kind)
        Membership.objects.create(
            person=jona, team=team, stage="active", stage_since_on="2026-01-01",
            started_on="2026-01-01",
        )  # fmt: skip


def some_dates(count, jona, mirja, topic):
    now = timezone.now()
    for number in range(count):
        course = Course.objects.create(
            title_de=f"K{number}", language="de", how="dates", published_at=now, made_at=now
        )
        Session.objects.create(
            course=course, zone="Europe/Berlin", begins_wall="2040-01-01T09:00",
            ends_wall="2040-01-01T10:00", begins_at=now + dt.timedelta(days=1),
            ends_at=now + dt.timedelta(days=2), seats=5, changed_at=now,
        )  # fmt: skip


def some_guidelines(count, jona, mirja, topic):
    now = timezone.now()
    for number in range(count):
        guideline = Guideline.objects.create(slug=f"g{number}", counts_from=now)
        GuidelineVersion.objects.create(
            guideline=guideline, number=1, title_de="G", text_de="T", effective_at=now,
            published_at=now, changed_at=now,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("fill", "path", "queries"),
    [
        (some_drafts, "/drafts", 7),
        (some_posts, "/posts", 2),
        (some_posts, "/links", 2),
        (some_ideas, "/ideas", 2),
        (some_briefings, "/briefings", 4),
        (some_teams, "/teams", 2),
        (some_terms, "/people", 3),
        (some_dates, "/training-dates", 2),
        (some_guidelines, "/guidelines", 2),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_lists_cost_the_same(
    fill, path, queries, count, jona, mirja, person, topic, django_assert_num_queries
):
    fill(count, jona, mirja, topic)
    who = {"/drafts": mirja, "/people": person("Selin Aydın", "hr")}.get(path, jona)
    ask = program(who)
    with django_assert_num_queries(queries):
        found = ask("GET", path).json()["items"]
    assert len(found) == count
