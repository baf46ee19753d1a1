"""People, content and pretended networks for all tests."""

import datetime as dt
import gc
import importlib
import os
import time
import uuid
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone, translation

from ambassadors import consents, retention
from ambassadors.models import Consent, Person, RetentionRun, Role
from campaigns.models import DisclosureRule, DisclosureTable, Programme, Suggestion, Topic, Variant
from campaigns.shares import Words, share
from integrations import accounts
from integrations.networks.base import Identity

from .networks.bluesky import Bluesky
from .networks.mastodon import Mastodon
from .web import Web

# `make proof` runs what is statistical at the size of the contract and prints the figures.
FULL = os.environ.get("PROOF") == "full"
SHARED = Path(os.environ.get("BOTSCHAFT_SHARED") or Path(__file__).parents[1] / ".." / "shared")


def pytest_collection_modifyitems(items):
    """Whatever opens a browser is a walk; what needs no database runs while another one migrates."""
    for item in items:
        if "chromium" in item.fixturenames:
            item.add_marker("walk")
    items.sort(
        key=lambda item: bool(item.get_closest_marker("django_db") or "db" in item.fixturenames)
    )


def _case_of(item):
    """The case of the corpus of bad inputs that a test tries, if any."""
    found = getattr(item, "callspec", None)
    case = found.params.get("case") if found else None
    return case if isinstance(case, dict) and {"id", "group", "expect"} <= case.keys() else None


@pytest.fixture(autouse=True)
def _measured(request, monkeypatch):
    """No case of the corpus is answered with a 5xx, and the slowest answers are told at the end."""
    case = _case_of(request.node)
    if case is None:
        yield
        return
    ask, answers = Client.request, []

    def measured(self, **how):
        began = time.perf_counter()
        answer = ask(self, **how)
        answers.append(
            (round(time.perf_counter() - began, 3), answer.status_code, how["PATH_INFO"][:60])
        )
        return answer

    monkeypatch.setattr(Client, "request", measured)
    yield
    assert [answer for answer in answers if answer[1] >= 500] == []
    request.node.user_properties += [("corpus", [case["id"], *answer]) for answer in answers]


def pytest_terminal_summary(terminalreporter):
    """How many requests tried cases of the corpus, and how long the slowest took."""
    reports = (
        r
        for row in terminalreporter.stats.values()
        for r in row
        if getattr(r, "when", "") == "teardown" or getattr(r, "when", "") == "call"
    )
    found = {tuple(told) for r in reports for name, told in r.user_properties if name == "corpus"}
    if found:
        told = ", ".join(
            f"{seconds} s {case} {path}"
            for case, seconds, _status, path in sorted(found, key=lambda a: -a[1])[:3]
        )
        terminalreporter.write_line(
            f"{len({f[0] for f in found})} cases of the corpus in {len(found)} requests, 0 5xx; slowest: {told}"
        )


@pytest.fixture(autouse=True)
def _plain_static(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.MEDIA_ROOT = settings.VAR_DIR = tmp_path
    # Each new Client would look at every file that somebody once collected in this checkout.
    settings.STATIC_ROOT = tmp_path / "static"
    settings.SPOOL_DIR = tmp_path / "spool"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.ALLOWED_HOSTS = ["*"]
    # A quarter of a second for every made-up person's password would be a minute for the suite.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CELERY_BROKER_URL = settings.REDIS_URL
    # Roles rest without a second factor: test_second_factor.py asks for it, the others have none.
    settings.MFA_REQUIRED_ROLES = []


@pytest.fixture(autouse=True)
def _english():
    """A request leaves its person's language behind in the thread; no test inherits it."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """The live server's threads must not keep the test database open; it begins as a copy."""
    from django.conf import settings

    from . import migrated

    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
    settings.DATABASES["default"]["TEST"]["TEMPLATE"] = migrated.database(
        os.environ["DATABASE_URL"]
    )


@pytest.fixture(scope="session", autouse=True)
def _emptied_quickly():
    """After a test with real transactions most tables are empty: DELETE is twenty times TRUNCATE.

    The triggers rest meanwhile, those that let nobody delete among them. The names of models and
    of what one may do to them stay: to write them anew takes six times as long as to empty.
    """
    stay = {"django_content_type", "auth_permission"}

    def sql_flush(self, style, tables, **_how):
        del style
        rest, work = (f"SET session_replication_role = {role}" for role in ("replica", "origin"))
        gone = (f"DELETE FROM {self.quote_name(name)}" for name in tables if name not in stay)
        return [rest, *gone, work]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "django.db.backends.postgresql.operations.DatabaseOperations.sql_flush", sql_flush
        )
        # A new connection would have to learn all tables again before it empties them. It stays,
        # so a test takes back what it SETs.
        patch.setattr(
            "django.test.TransactionTestCase._should_reload_connections", lambda _case: False
        )
        patch.setattr(
            "django.core.management.commands.flush.emit_post_migrate_signal", lambda *_a, **_k: None
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def _all_is_imported():
    """The first request imports every page: seconds in which its transaction would wait idle.

    What is there by then stays to the end; looked through again and again for what nobody needs
    any more, it takes a twentieth of the time.
    """
    importlib.import_module("advocacy.urls")
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Whatever a killed process left open is closed before the database is dropped."""
    yield
    with django_db_blocker.unblock():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def person(db):
    def make(name="Jona Harms", *roles, **fields):
        email = f"{uuid.uuid4().hex[:10]}@example.org"
        made = Person.objects.create_user(
            email, "moin-moin-nordwind", name=name, language="en", **{"welcome": 0, **fields}
        )
        Role.objects.bulk_create(Role(person=made, name=role) for role in roles)
        # Rows, as consents.give() writes them: asking and recording for each person took minutes.
        Consent.objects.bulk_create(
            Consent(
                person=made, purpose=purpose, given_at=timezone.now(),
                version=consents.WORDINGS[purpose][0], wording=consents.WORDINGS[purpose][1],
            )
            for purpose in ("publish", "engagement", "roster")
        )  # fmt: skip
        return made

    return make


@pytest.fixture
def jona(person):
    return person("Jona Harms")


@pytest.fixture
def mirja(person):
    return person("Mirja Thomsen", "curator")


def browser(who):
    """A browser without JavaScript in which somebody is logged in."""
    made = Client()
    made.force_login(who)
    return made


def night(name, *, now):
    """How many rows of a class one night lets go."""

    def gone():
        return sum(RetentionRun.objects.filter(name=name).values_list("gone", flat=True))

    before = gone()
    retention.run(now=now, on=now.date())
    return gone() - before


@pytest.fixture
def desk(mirja):
    return browser(mirja)


@pytest.fixture
def a_working_day(monkeypatch):
    """At the weekend Today shows no issue and no notices; this day is none."""
    monkeypatch.setattr("campaigns.views.today._SATURDAY", 7)


@pytest.fixture
def topic(db):
    Programme.the()
    return Topic.objects.create(
        slug="wind", title="Wind farm", language="en", rule="Tell it.", light_since=timezone.now()
    )


@pytest.fixture
def suggestion(person, topic):
    author, approver = person("Mirja", "curator"), person("Dilan", "curator")
    now = timezone.now()
    table = DisclosureTable.objects.create(version=1, proposed_at=now)
    for language in ("de", "en"):
        DisclosureRule.objects.create(
            table=table,
            content_class="employer_brand",
            network="",
            language=language,
            label="#NordwindTeam",
            place="end",
        )
    DisclosureTable.objects.update(in_force_at=now)
    made = Suggestion.objects.create(
        topic=topic, title="Six years", language="en", author=author, state="approved",
        approved_by=approver, approved_at=now, changed_at=now,
    )  # fmt: skip
    Variant.objects.create(
        suggestion=made,
        name="Personal",
        language="en",
        text="Six years of work went live. [your part in it] 14 turbines.",
    )
    return made


@pytest.fixture
def mastodon(monkeypatch):
    with Mastodon() as server:
        _allow(monkeypatch, server)
        yield server


@pytest.fixture
def bluesky(monkeypatch):
    with Bluesky() as server:
        _allow(monkeypatch, server)
        yield server


@pytest.fixture
def web(monkeypatch):
    with Web() as server:
        _allow(monkeypatch, server)
        yield server


def _allow(monkeypatch, server):
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def account_on():
    """Connect somebody to a pretended server."""

    def connect(who, server, number="1"):
        access = server.access(number)
        return accounts.connect(
            person=who, network=server.network, base_url=server.base_url,
            identity=Identity(access.remote_account_id, f"@{number}", "x", "https://x.example"),
            secrets_=access.secrets, expires_at=None, features=access.features, now=timezone.now(),
        )  # fmt: skip

    return connect


@pytest.fixture
def queue(suggestion):
    """Queue a post for publishing now."""

    def put(who, account, text="", due_at=None):
        now = timezone.now()
        text = text or f"Sentence {uuid.uuid4().hex} of mine."
        words = Words(text=text, variant=suggestion.variant_set.get(), submission=uuid.uuid4())
        posts = share(
            by=who, suggestion=suggestion, words=words, accounts=[account],
            due_at=due_at or now - dt.timedelta(seconds=1), now=now,
        )  # fmt: skip
        return posts[0].delivery

    return put
