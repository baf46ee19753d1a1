"""What an administrator has beside the browser: the command, the doctor, gauges, and the log."""

import io
import json
import logging
import time

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from advocacy import doctor, logs
from ambassadors.models import AuditEntry, Person, Role
from campaigns import holds
from campaigns.models import Delivery, HoldRecord, Programme
from integrations.models import Circuit, ConnectedAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def piet(person):
    return person("Piet Oltmanns", "administrator")


def say(*words):
    out = io.StringIO()
    call_command("botschaft", *words, stdout=out, no_color=True)
    return out.getvalue()


# People, roles, the hold ------------------------------------------------------------------------


def test_person_is_added_and_gets_a_role(piet):
    say("person", "add", "aylin@nordwind.example", "Aylin  Demir")
    assert "roles: curator." in say("role", "give", "AYLIN@nordwind.example", "curator")
    aylin = Person.objects.get(email="aylin@nordwind.example")
    assert (aylin.name, aylin.has_usable_password(), aylin.has_role("curator")) == (
        "Aylin Demir",
        False,
        True,
    )
    assert "It was so already." in say("role", "give", aylin.email, "curator")
    assert "roles: none." in say("role", "take", aylin.email, "curator")
    acts = AuditEntry.objects.filter(act__startswith="role.").order_by("pk")
    assert list(acts.values_list("act", flat=True)) == ["role.granted", "role.taken"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["person", "add", "no address", "Aylin"], "is no mail address"),
        (["person", "add", "aylin@nordwind.example"], "Say the name"),
        (["person", "add", "aylin@nordwind.example", "x" * 500], "Say the name"),
        (["person", "add", "JONA", "Jona"], "is known already"),
        (["person", "leave", "nobody@example.org"], "Nobody has the address"),
        (["person", "leave", "PIET"], "is the last administrator"),
        (["role", "take", "PIET", "administrator"], "is the last administrator"),
        (["role", "give", "nobody@example.org", "hr"], "Nobody has the address"),
        (["hold", "--by", "JONA", "Wait."], "is neither curator nor administrator"),
        (["hold", "--by", "PIET", "  "], "Say why"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(piet, jona, words, sentence):
    people = {"JONA": jona.email, "PIET": piet.email}
    with pytest.raises(CommandError, match=sentence):
        say(*(people.get(word, word) for word in words))
    assert (Person.objects.count(), Role.objects.count(), HoldRecord.objects.count()) == (2, 1, 0)


def test_leaving_by_command_ends_everything(piet, jona):
    assert "Jona Harms has left" in say("person", "leave", jona.email)
    jona.refresh_from_db()
    assert (jona.is_active, jona.left_at is None) == (False, False)
    with pytest.raises(CommandError, match="has left already"):
        say("person", "leave", jona.email)


def test_role_of_a_group_is_refused(jona):
    Role.objects.create(person=jona, name="hr", by_group=True)
    with pytest.raises(CommandError, match="group of the directory"):
        say("role", "take", jona.email, "hr")


def test_everything_is_held_and_goes_on_by_command(mirja):
    assert "Everything is on hold." in say("hold", "--by", mirja.email, "An accident.")
    programme = Programme.the()
    assert (programme.is_held, programme.held_reason) == (True, "An accident.")
    assert "Everything goes on." in say("release", "--by", mirja.email)
    assert "Nothing was on hold." in say("release", "--by", mirja.email)


def test_keys_are_rotated_by_command():
    assert "0 secrets sealed anew." in say("rotate-keys")


# The doctor -------------------------------------------------------------------------------------


@pytest.fixture
def healthy(settings, piet, monkeypatch):
    """An installation at which nothing is wrong, but for the worker that no test has."""
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://hallo.example", ["hallo.example"]
    settings.SECRET_KEY, settings.DEFAULT_FROM_EMAIL = "k" * 50, "botschaft@hallo.example"
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    inspect = type("Inspect", (), {"ping": lambda _self: {"worker@a": {"ok": "pong"}}})
    monkeypatch.setattr(doctor.current_app.control, "inspect", lambda timeout: inspect())
    return settings


def sentences():
    return [finding.what for _name, findings in doctor.examine() for finding in findings]


def test_doctor_finds_nothing_at_a_healthy_installation(healthy):
    assert sentences() == []
    said = say("doctor")
    assert (said.count("✓"), said.count("✗")) == (12, 0)


def _http(settings, _monkeypatch):
    settings.SITE_URL = "http://hallo.example"


def _host(settings, _monkeypatch):
    settings.ALLOWED_HOSTS = ["other.example"]


def _demo(settings, _monkeypatch):
    settings.DEMO = True


def _debug(settings, _monkeypatch):
    settings.DEBUG = True


def _bad_key(settings, _monkeypatch):
    settings.TOKEN_KEYS = [*settings.TOKEN_KEYS, "x"]


def _short(settings, _monkeypatch):
    settings.SECRET_KEY = "short"


def _no_volume(settings, _monkeypatch):
    settings.VAR_DIR = settings.VAR_DIR / "nowhere"


def _no_redis(settings, _monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def _no_mail(settings, _monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def _plain_mail(settings, _monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.invalid", 1


def _plain_redis(settings, monkeypatch):
    monkeypatch.setattr(doctor.Redis, "from_url", lambda _url, **_how: FakeRedis())
    settings.REDIS_URL = "redis://redis.example:6379/0"


def _unchecked_redis(settings, monkeypatch):
    _plain_redis(settings, monkeypatch)
    settings.REDIS_URL = "rediss://redis.example:6379/0?ssl_cert_reqs=none"


class FakeRedis:
    def config_get(self, _name):
        return {}


def _plain_database(_settings, monkeypatch):
    how = connection.get_connection_params() | {"host": "db.example", "sslmode": "require"}
    monkeypatch.setattr(connection, "get_connection_params", lambda: how)


def _no_sender(settings, _monkeypatch):
    settings.DEFAULT_FROM_EMAIL = "botschaft@localhost"


def _no_worker(_settings, monkeypatch):
    inspect = type("Inspect", (), {"ping": lambda _self: None})
    monkeypatch.setattr(doctor.current_app.control, "inspect", lambda timeout: inspect())


def _stopped(_settings, _monkeypatch):
    from integrations import instance

    instance.the()
    instance.stop("clone", now=timezone.now())


def _silent(_settings, _monkeypatch):
    now = timezone.now()
    Circuit.objects.create(
        network="mastodon", base_url="https://m.example", opened_at=now, failing_since=now
    )


def _nobody(_settings, _monkeypatch):
    Role.objects.all().delete()


def _secret_addresses(settings, _monkeypatch):
    settings.SECRET_ADDRESSES = True


def _unmigrated(_settings, _monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'reception'")


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (_http, "which is not https"),
        (_host, "ALLOWED_HOSTS does not name hallo.example"),
        (_demo, "DEMO is on"),
        (_debug, "DEBUG is on"),
        (_secret_addresses, "SECRET_ADDRESSES is on"),
        (_bad_key, "Key 2 of TOKEN_KEYS is no key"),
        (_short, "SECRET_KEY is shorter"),
        (_no_volume, "cannot be written to"),
        (_no_redis, "Redis does not answer"),
        (_no_mail, "The mail server does not take us"),
        (_plain_mail, "The mail server at mail.invalid is reached without TLS"),
        (_plain_redis, "Redis at redis.example is reached without TLS"),
        (_unchecked_redis, "Redis at redis.example is reached without TLS"),
        (_plain_database, "PostgreSQL at db.example is reached without TLS"),
        (_no_sender, "DEFAULT_FROM_EMAIL is not set"),
        (_no_worker, "No worker answers"),
        (_stopped, "Nothing is published since"),
        (_silent, "Mastodon https://m.example answers nothing"),
        (_nobody, "Nobody is an administrator"),
        (_unmigrated, "migrations have not run"),
    ],
)
def test_doctor_names_what_is_wrong(healthy, monkeypatch, harm, sentence):
    harm(healthy, monkeypatch)
    found = sentences()
    assert sum(sentence in one for one in found) == 1, found


def test_doctor_without_a_database_says_so_and_goes_no_further(healthy, monkeypatch):
    def refuse():
        raise DatabaseError("connection refused\nIs the server running?")

    monkeypatch.setattr(connection, "cursor", refuse)
    found = doctor.examine()
    assert found[-1][0] == "PostgreSQL"
    assert found[-1][1][0].what == "PostgreSQL does not answer: connection refused"


def test_grave_findings_end_with_an_error(healthy):
    healthy.DEBUG = True
    with pytest.raises(CommandError, match="1 of these must be mended"):
        say("doctor")


def test_doctor_sees_a_secret_under_an_older_key(healthy, jona, account_on, mastodon):
    account_on(jona, mastodon)
    healthy.TOKEN_KEYS = [Fernet.generate_key().decode(), *healthy.TOKEN_KEYS]
    assert sentences() == ["Some secrets are sealed with an older key."]


# Gauges -----------------------------------------------------------------------------------------


TOKEN = "let-me-see-the-gauges"


def scrape(settings, token=TOKEN):
    settings.METRICS_TOKEN = TOKEN
    return Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})


def gauges(settings):
    answer = scrape(settings)
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, "text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_gauges_tell_how_posts_stand(settings, jona, account_on, mastodon, queue, topic, mirja):
    now = timezone.now()
    later = {"due_at": now + timezone.timedelta(hours=1)}
    for change in ({}, later, {"blocked": "consent", **later}):  # each is counted once
        delivery = queue(jona, account_on(jona, mastodon))
        Delivery.objects.filter(pk=delivery.pk).update(
            **{"due_at": now - timezone.timedelta(seconds=90)} | change
        )
    ConnectedAccount.objects.filter(pk=delivery.account_id).update(reconnect_reason="gone")
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=now)
    found = gauges(settings)
    assert [found["botschaft_posts", name] for name in ("due", "later", "blocked")] == [1, 1, 1]
    assert 90 <= found["botschaft_oldest_post_seconds", "due"] < 120
    assert found["botschaft_oldest_post_seconds", "unknown"] == 0
    assert found["botschaft_accounts_to_reconnect",] == 1
    assert (found["botschaft_topics_held",], found["botschaft_held",]) == (1, 0)
    assert found["botschaft_record_unsealed",] > 0


def test_gauges_tell_of_silence_standstill_and_a_stop(settings):
    _silent(settings, None)
    Circuit.objects.update(failing_since=timezone.now() - timezone.timedelta(minutes=5))
    _stopped(settings, None)
    found = gauges(settings)
    assert 300 <= found["botschaft_network_silent_seconds", "mastodon"] < 330
    assert (found["botschaft_stopped",], found["botschaft_standstill",]) == (1, 0)


def test_gauges_name_nobody(settings, jona, account_on, mastodon, queue):
    queue(jona, account_on(jona, mastodon))
    text = scrape(settings).content.decode()
    for word in (jona.name, jona.email, "Jona", f'"{jona.pk}"'):
        assert word not in text


@pytest.mark.parametrize("token", ["", "let-me-see", "Bearer", "ö"])
def test_gauges_are_closed_without_the_token(settings, token):
    assert scrape(settings, token).status_code == 401


def test_without_a_token_there_are_no_gauges():
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_gauges_ask_a_constant_number_of_queries(
    settings, jona, account_on, mastodon, queue, django_assert_num_queries
):
    for _ in range(3):
        queue(jona, account_on(jona, mastodon))
    scrape(settings)
    with django_assert_num_queries(11):
        scrape(settings)


# The log ----------------------------------------------------------------------------------------


def record(message, *args, trace=None):
    made = logging.LogRecord("botschaft", logging.WARNING, __file__, 1, message, args, trace)
    made.created = 1_800_000_000.0
    return made


def test_line_break_begins_no_entry_of_its_own():
    line = logs.Line("%(levelname)s %(message)s").format(record("no post %s", "1\nERROR forged\r"))
    assert line == "WARNING no post 1\n    ERROR forged\\r"


def test_log_moves_no_cursor_of_whoever_reads_it():
    """A terminal would obey what a stranger wrote into an answer or an address."""
    sent = "\x1b[2J\x1b]0;x\x07 \x9b2J \x85 \u2028 ä\t"
    line = logs.Line("%(message)s").format(record("why %s", sent))
    assert line == "why \\x1b[2J\\x1b]0;x\\x07 \\x9b2J \\x85 \\u2028 ä\t"


def test_json_log_is_one_object_in_one_line():
    try:
        time.sleep(-1)
    except ValueError:
        import sys

        text = logs.Json().format(record("no post %s", "1\nforged", trace=sys.exc_info()))
    assert "\n" not in text
    entry = json.loads(text)
    assert entry.pop("trace").endswith("ValueError: sleep length must be non-negative")
    assert entry == {
        "at": "2027-01-15T08:00:00+00:00",
        "level": "WARNING",
        "logger": "botschaft",
        "message": "no post 1\nforged",
    }
