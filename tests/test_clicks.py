"""Click counts: what is a person's visit, counted once, and nothing kept of who it was."""

import datetime as dt
import hmac
import logging
import multiprocessing
import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
import redis
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns import clicks, machines
from campaigns.models import ClickBucket, ShortLink

from .agents import BROWSERS, MACHINES
from .conftest import FULL, browser

CHROME = BROWSERS[0]
BERLIN = ZoneInfo("Europe/Berlin")
# Tomorrow's: Redis lets nothing lie until a moment that has passed.
TOMORROW = dt.datetime.now(BERLIN).date() + dt.timedelta(days=1)
NOON = dt.datetime.combine(TOMORROW, dt.time(12), BERLIN)


@pytest.fixture(autouse=True)
def _no_clicks():
    """What earlier tests left in Redis is gone."""
    clicks._redis.cache_clear()
    store = clicks._redis().client
    for key in store.scan_iter("clicks:*"):
        store.delete(key)
    return store


@pytest.fixture
def link(db):
    return ShortLink.objects.create(code="Ab3", target="https://nordwind.example/job")


def visit(agent=CHROME, address="203.0.113.7", code="Ab3", method="get", **headers):
    client = Client(REMOTE_ADDR=address)
    headers = {"User-Agent": agent, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return getattr(client, method)(f"/r/{code}", headers=headers)


def written(link):
    clicks.drain(now=timezone.now())
    link.refresh_from_db()
    assert link.clicks == sum(link.days.values_list("count", flat=True))
    return link.clicks


# What is a visit ------------------------------------------------------------------------------


def test_machines_are_told_from_browsers_by_their_names():
    assert [agent for agent in MACHINES if not machines.names_machine(agent)] == []
    assert [agent for agent in BROWSERS if machines.names_machine(agent)] == []


@pytest.mark.parametrize(
    ("counted", "how"),
    [
        (1, {}),
        (1, {"Sec_Fetch_Dest": "document", "Sec_Fetch_Mode": "navigate"}),
        (0, {"Sec_Fetch_Dest": "image"}),
        (0, {"Sec_Fetch_Dest": "empty"}),
        (0, {"Sec_Purpose": "prefetch"}),
        (0, {"Sec_Purpose": "prefetch;prerender"}),
        (0, {"Sec_Purpose": "Prefetch;anonymous-client-ip"}),
        (0, {"Purpose": "prefetch"}),
        (0, {"X_Purpose": "preview"}),
        (0, {"X_Moz": "prefetch"}),
        (0, {"method": "head"}),
        (0, {"DNT": "1"}),
        (0, {"Sec_GPC": "1"}),
        (1, {"DNT": "0"}),
        (0, {"Cookie": "sessionid=anything"}),
        (1, {"code": "Ab3)."}),
        (1, {"code": "Ab3…"}),
        (0, {"agent": ""}),
        (0, {"agent": "Mozilla/5.0 " + "x" * 8000}),
    ],
)
def test_only_a_person_who_opens_the_page_counts(link, counted, how):
    response = visit(**how)
    assert (response.status_code, response["Location"]) == (302, link.target)
    assert written(link) == counted


def test_no_user_agent_at_all_is_no_visit(link):
    assert Client().get("/r/Ab3").status_code == 302
    assert written(link) == 0


def test_what_x_does_with_a_new_post_counts_nothing(link):
    """One GET and three HEAD with browsers' names, github.com/dubinc/dub/issues/2309."""
    visit("Twitterbot/1.0", "199.16.157.180")
    visit(BROWSERS[5], "199.16.157.181", method="head")
    visit(BROWSERS[900], "199.16.157.182", method="head")
    visit("", "199.16.157.183", method="head")
    assert written(link) == 0


def test_thousand_fetches_of_the_fediverse_count_nothing(link):
    """Every server looks at the link by itself, github.com/shlinkio/shlink/issues/1613."""
    for n in range(1000 if FULL else 60):
        visit(
            f"Mastodon/4.4.{n % 9} (http.rb/5.3.1; +https://s{n}.example/)", f"198.18.{n % 250}.1"
        )
    assert written(link) == 0


def test_of_a_thousand_machines_none_and_of_a_thousand_browsers_nearly_all_count(link):
    size = 1000 if FULL else 120
    ahead = ({"Sec_Purpose": "prefetch"}, {"Purpose": "prefetch"}, {"X_Moz": "prefetch"})
    for n in range(size):
        address, agent = f"198.{18 + n % 2}.{n // 2 % 250}.9", MACHINES[n % len(MACHINES)]
        visit(agent, address)
        visit(BROWSERS[n], address, method="head")
        visit(BROWSERS[n], address, **ahead[n % 3])
    assert written(link) == 0
    for n in range(size):
        visit(BROWSERS[n * 7 % len(BROWSERS)], f"203.{n % 100}.{n // 100}.{n % 7 + 1}")
    assert size * 0.98 <= written(link) <= size
    print(f"\n{3 * size} hits of machines counted 0; {link.clicks} of {size} browsers counted")


# Once each -----------------------------------------------------------------------------------


def test_visitor_counts_once_a_day_for_each_link(link):
    other = ShortLink.objects.create(code="Cd4", target="https://nordwind.example/other")
    for _ in range(5):
        visit()
    visit(address="203.0.113.200")  # the same network
    visit(address="203.0.114.7")
    visit(BROWSERS[1])
    visit(code="Cd4")
    assert (written(link), written(other)) == (3, 1)


def test_the_next_day_counts_again_on_its_own_row(link, rf):
    request = rf.get("/", REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT=CHROME)
    late = NOON.replace(hour=23, minute=59)
    for now in (NOON, late, late + dt.timedelta(minutes=2)):
        clicks.count(request, link.pk, now=now)
    clicks.drain(now=NOON)
    assert list(link.days.order_by("day").values_list("day", "count")) == [
        (TOMORROW, 1),
        (TOMORROW + dt.timedelta(days=1), 1),
    ]


def test_one_network_that_invents_browsers_counts_only_so_often(link, monkeypatch, rf):
    monkeypatch.setattr(clicks, "MOST_OF_ONE_NETWORK", 3)
    for n in range(6):
        visit(BROWSERS[n])
    visit(BROWSERS[9], "203.0.114.7")
    for n in range(6):  # behind a proxy that nobody told us of, all come from it
        visit(BROWSERS[20 + n], "10.0.0.1", x_forwarded_for=f"198.51.{n}.7")
    assert written(link) == 3 + 1 + 3


@pytest.mark.parametrize(
    ("address", "proxies", "passed", "told"),
    [
        ("10.0.0.1", 0, "198.51.100.7", True),
        ("10.0.0.1", 0, "", False),  # somebody in the house, or a laptop
        ("203.0.113.7", 0, "198.51.100.7", False),  # somebody else's proxy
        ("10.0.0.1", 1, "198.51.100.7", False),
        ("10.0.0.1", 1, "10.0.0.9", False),  # somebody in the house, through the proxy
    ],
)
def test_administrators_are_told_of_a_proxy_that_no_setting_names(
    link, person, settings, address, proxies, passed, told
):
    settings.TRUSTED_PROXIES = proxies
    visit(address=address, x_forwarded_for=passed)
    page = browser(person("Petra", "administrator")).get("/system/").text
    assert ("a proxy that TRUSTED_PROXIES does not name" in page) is told
    settings.TRUSTED_PROXIES = 1
    assert not clicks.through_undeclared_proxy()


def test_at_once_a_visitor_counts_once(link, rf):
    request = rf.get("/", REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT=CHROME)
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: clicks.count(request, link.pk, now=NOON), range(40)))
    assert sum(said) == 1


# Into rows -----------------------------------------------------------------------------------


def test_counting_writes_nothing_to_the_database(link, django_assert_num_queries):
    visit()
    with django_assert_num_queries(1) as asked:
        visit(BROWSERS[1])
    assert asked[0]["sql"].split()[0] == "SELECT"


def test_days_add_up_over_many_drains(link):
    for n in range(5):
        visit(BROWSERS[n])
        clicks.drain(now=timezone.now())
    assert (written(link), link.days.count()) == (5, 1)
    assert clicks.drain(now=timezone.now()) == 0


def test_clicks_of_a_link_that_is_gone_are_passed_over(link):
    other = ShortLink.objects.create(code="Cd4", target="https://nordwind.example/other")
    visit()
    visit(code="Cd4")
    link.delete()
    assert written(other) == 1
    assert clicks._redis().client.keys("clicks:closed") == []


def test_ids_of_written_buckets_are_kept_for_a_day(link):
    visit()
    clicks.drain(now=timezone.now() - dt.timedelta(days=2))
    visit(BROWSERS[1])
    clicks.drain(now=timezone.now())
    assert ClickBucket.objects.count() == 1


def in_child(settings, point=""):
    """Drain in a process of its own, which dies at the point; returns the signal it died of."""

    def work():
        settings.DEBUG_FAILPOINTS, settings.FAILPOINTS = bool(point), f"{point}=kill:1"
        clicks._redis.cache_clear()
        clicks.drain(now=timezone.now())
        os._exit(0)

    connection.close()
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(30)
    return -child.exitcode


@pytest.mark.django_db(transaction=True)
def test_drain_killed_anywhere_loses_nothing_and_counts_nothing_twice(settings):
    link = ShortLink.objects.create(code="Ab3", target="https://nordwind.example/job")
    sent = kills = 0
    for _ in range(10 if FULL else 1):
        for point in ("clicks_closed", "clicks_uncommitted", "clicks_written"):
            visit(BROWSERS[sent])
            assert in_child(settings, point) == signal.SIGKILL
            visit(BROWSERS[sent + 1])
            sent, kills = sent + 2, kills + 1
        assert in_child(settings) == 0  # lets go of what was written when it was killed
    print(f"\n{kills} killed drains: {sent} clicks, none lost, none twice")
    assert (written(link), sent) == (sent, sent)


@pytest.mark.django_db(transaction=True)
def test_eight_drains_at_once_write_each_bucket_once():
    link = ShortLink.objects.create(code="Ab3", target="https://nordwind.example/job")

    def drain(_n):
        try:
            return clicks.drain(now=timezone.now())
        finally:
            connection.close()

    for n in range(12):
        visit(BROWSERS[n])
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(drain, range(8)))
    assert (written(link), sum(said)) == (12, 12)


def test_without_redis_links_lead_on_and_nobody_waits_twice(link, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    clicks._redis.cache_clear()
    try:
        assert visit().status_code == 302
        assert clicks._redis().rests_until > 0
        assert visit().status_code == 302
    finally:
        clicks._redis.cache_clear()


# Nothing of anybody --------------------------------------------------------------------------


# Every visitor of these tests comes from 203.*, with a browser that says so.
TRACES = re.compile(r"203\.\d{1,3}\.\d{1,3}|Mozilla|AppleWebKit|Gecko|Own/")


def in_tables(traces):
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [(table, n) for (row,) in cursor.fetchall() for n in traces.findall(row)]
    return found


def in_redis(store):
    readers = {
        b"string": store.get, b"hash": store.hgetall, b"set": store.smembers,
        b"list": lambda key: store.lrange(key, 0, -1), b"zset": lambda key: store.zrange(key, 0, -1),
    }  # fmt: skip
    kept = [(key, readers[store.type(key)](key)) for key in store.scan_iter("*")]
    return kept, [found for pair in kept for found in TRACES.findall(repr(pair))]


def test_after_many_clicks_no_address_and_no_browser_is_anywhere(
    link, _no_clicks, caplog, tmp_path
):
    """Odd requests among them; tables, Redis, logs at DEBUG, spool and files are searched."""
    caplog.set_level(logging.DEBUG)
    size = 10_000 if FULL else 100
    for n in range(size):
        agent, address = (
            f"{BROWSERS[n % len(BROWSERS)]} Own/{n}",
            f"203.{n % 200}.{n // 200}.{n % 250}",
        )
        visit(agent, address, code="Ab3" if n % 10 else f"no-{n}")
    kept, found = in_redis(_no_clicks)
    clicks.drain(now=timezone.now())
    assert link.days.get().count > size * 0.85
    assert (len(kept), found) == (len(kept), [])
    assert in_tables(TRACES) == []
    assert TRACES.findall(caplog.text) == []
    assert [str(path) for path in tmp_path.rglob("*") if path.is_file()] == []
    # what is there is found
    assert {name for name, _value in kept} >= {b"clicks:open"}
    assert in_tables(re.compile("nordwind.example/job")) != []
    assert "Not Found: /r/no-" in caplog.text
    print(f"\n{size} clicks: 0 addresses, 0 browsers in tables, Redis, logs and files")


def test_hashes_cannot_be_computed_again_the_next_day(link, _no_clicks, rf):
    request = rf.get("/", REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT=CHROME)
    now = timezone.now()
    assert clicks.count(request, link.pk, now=now)
    day = clicks._day(now)[0]
    salt, [first] = _no_clicks.get(f"clicks:salt:{day}"), _no_clicks.smembers(f"clicks:seen:{day}")
    ends = {name: _no_clicks.ttl(f"clicks:{name}:{day}") for name in ("salt", "seen", "crowd")}
    assert all(0 < seconds <= 25 * 3600 for seconds in ends.values()), ends
    said = clicks._veiled(link.pk, "203.0.113.0/24", CHROME)

    def compute(key):
        return hmac.digest(key, said, "sha256").hex()[:24].encode()

    assert (len(salt), compute(salt)) == (32, first)
    _no_clicks.delete(f"clicks:salt:{day}", f"clicks:seen:{day}")  # the day ends
    assert clicks.count(request, link.pk, now=now)
    [second] = _no_clicks.smembers(f"clicks:seen:{day}")
    assert second not in {first, compute(salt)}
    assert _no_clicks.get(f"clicks:salt:{day}") != salt


@pytest.mark.parametrize(
    "now",
    [
        NOON,
        dt.datetime(2026, 10, 24, 22, 0, tzinfo=dt.UTC),  # the first second of a day of 25 h
        dt.datetime(2026, 3, 28, 23, 0, tzinfo=dt.UTC),  # of one of 23 h
    ],
)
def test_salt_is_gone_after_25_hours_at_most(now):
    assert 0 < clicks._day(now)[1] - now.timestamp() <= 25 * 3600


def test_redis_is_told_no_address_and_no_browser(link, _no_clicks, rf, monkeypatch):
    told = []
    send = redis.connection.Connection.send_packed_command

    def listen(self, command, *args, **kwargs):
        told.append(b"".join(command) if isinstance(command, list) else command)
        return send(self, command, *args, **kwargs)

    monkeypatch.setattr(redis.connection.Connection, "send_packed_command", listen)
    visit()
    heard = b"".join(told)
    assert b"clicks:seen" in heard
    assert not any(part in heard for part in (b"203.0.113", b"Mozilla", b"Chrome"))
