"""Secrets stay sealed (G23) and change their key under load (G24).

G23: every token, code, password, verifier and key that crosses our door or is sealed is a canary;
after real flows, good and bad, none may be found in tables, SQL, logs, Redis, the spool, pages,
headers, mails or reports, in any common spelling.
"""

import base64
import html
import io
import json
import logging
import os
import random
import re
import secrets
import signal
import string
import time
import traceback
import urllib.parse
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, is_dataclass
from multiprocessing import Array, Value

import pytest
import redis
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet, InvalidToken
from django.core.mail import send_mail
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter

from advocacy.reports import Report
from campaigns import claims, deliveries, pace, unknowns
from campaigns.models import Delivery
from integrations import (
    accounts,
    chats,
    clients,
    push,
    recovery_codes,
    rotation,
    sealing,
    spool,
    tasks,
    tokens,
    webhooks,
    wire,
)
from integrations.models import (
    ChatRoom,
    ConnectAttempt,
    ConnectedAccount,
    PushDevice,
    PushKey,
    Revocation,
    ServerApp,
    Token,
    Webhook,
)
from integrations.networks import NETWORKS, bluesky_oauth, bluesky_proofs, get
from integrations.networks.base import Window
from integrations.wire import PerhapsSent, call

from .conftest import FULL
from .networks import bluesky as bluesky_server
from .networks import pretended
from .test_connect import depart, say_yes
from .test_publishing import in_child, time_passes
from .test_tokens import NEW_KEY, connected, end, fork, server  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)

# Canaries and how they are found ---------------------------------------------------------------

SECRET = {
    "access_token", "refresh_token", "accessJwt", "refreshJwt", "client_secret", "code",
    "code_verifier", "verifier", "dpop_key", "password", "app_password", "token",
    "client_assertion", "appsecret_proof", "fb_exchange_token",
}  # fmt: skip
# What the pretended networks give out carries it, and they take it off again: their short fixed
# tokens become unique ones, with the signs that addresses and JSON escape.
ADDED = re.compile(r"(?:\+|%2B)(?:/|%2F)cny[A-Za-z0-9]{24}(?:=|%3D)")
SHORTEST = 15


def added():
    return "+/cny" + "".join(random.choices(string.ascii_letters + string.digits, k=24)) + "="


def spellings(canary):
    """The ways in which a text is still the same secret."""
    plain = canary.encode()
    yield from (plain, plain[::-1], json.dumps(canary)[1:-1].replace("/", "\\/").encode())
    yield from (plain.hex().encode(), plain.hex().upper().encode(), html.escape(canary).encode())
    for safe in ("", "/"):
        yield urllib.parse.quote(canary, safe=safe).encode()
    for shift in range(3):  # where it stands in a longer text
        encoded = base64.b64encode(b"\0" * shift + plain)
        inner = encoded[-(-shift * 8 // 6) : len(plain + b"\0" * shift) * 8 // 6]
        yield from (inner, inner.translate(bytes.maketrans(b"+/", b"-_")))


@dataclass
class Aviary:
    """All canaries, and every place they must not be in."""

    kinds: dict = field(default_factory=dict)  # canary: what it is
    places: dict = field(default_factory=dict)  # name: bytes

    def note(self, kind, value):
        if isinstance(value, str) and len(value) >= SHORTEST:
            self.kinds.setdefault(value, kind)
        return value

    def note_all(self, found):
        """Whatever in a JSON value has a secret's name."""
        for name, value in found.items() if isinstance(found, dict) else ():
            if name in SECRET - {"code"}:  # an error's code is none
                self.note(name, value)
            self.note_all(value)
        for value in found if isinstance(found, list) else ():
            self.note_all(value)

    def put(self, place, content):
        content = content if isinstance(content, bytes) else str(content).encode("utf-8", "replace")
        self.places[place] = self.places.get(place, b"") + b"\n" + content

    def hits(self, *, but=()):
        """Which canary is found where: eight bytes at every eighth place, then the whole."""
        grams = {}
        for canary, kind in self.kinds.items():
            for spelling in spellings(canary) if kind not in but else ():
                for at in range(len(spelling) - 7):
                    grams.setdefault(spelling[at : at + 8], set()).add((kind, canary, spelling))
        found = set()
        for place, content in self.places.items():
            for at in range(0, len(content), 8):
                for kind, canary, spelling in grams.get(content[at : at + 8], ()):
                    around = content[max(at - len(spelling), 0) : at + len(spelling)]
                    if spelling in around:
                        found.add((kind, canary, place))
        return found


class Chatty:
    """A pretended network whose secrets are canaries and whose errors may repeat them."""

    aviary, errors, where, asked = None, None, "", 0

    def secrets(self, number):
        return {name: self.given(name, v) for name, v in super().secrets(number).items()}

    def given(self, name, value):
        return self.aviary.note(name, f"{value}{added()}")

    def proved(self, handler, fields):
        fields.pop("appsecret_proof", None)  # it was made of canaries
        return True

    def serve(self, handler, at, body):
        said = self.crossing(handler, body)
        spot = f"{handler.command} {handler.path}"
        if self.errors and said and re.search(self.where, spot):
            self.asked += 1
            said = random.sample(sorted(said), len(said))
            text = "Bad: " + " ".join(f"{value} {urllib.parse.quote(value)}" for value in said)
            headers = [("WWW-Authenticate", f'Bearer error="{said[0]}"'), ("Location", said[0])]
            return super().answer(handler, self.errors, self.problem(self.errors, text), headers)
        self.plain(handler)
        return super().serve(handler, at, re.sub(ADDED.pattern.encode(), b"", body))

    def crossing(self, handler, body):
        """The secrets of a request, noted."""
        found = {}
        kind, _space, value = handler.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            value = urllib.parse.unquote(base64.b64decode(value).decode().partition(":")[2])
        found["client_secret" if kind == "Basic" else "access_token"] = value
        form = "" if "multipart" in handler.headers.get("Content-Type", "") else body.decode("latin-1")  # fmt: skip
        for text in (urllib.parse.urlsplit(handler.path).query, form):
            found |= {n: v for n, v in urllib.parse.parse_qsl(text) if n in SECRET}
        with suppress(ValueError, AttributeError):
            found |= {n: v for n, v in json.loads(body).items() if n in SECRET}
        for name, value in found.items():
            self.aviary.note(name, value)
        return {value for value in found.values() if len(value) >= SHORTEST}

    def plain(self, handler):
        """Take off what was added to the address and to the header."""
        handler.path = ADDED.sub("", handler.path)
        sent = handler.headers.get("Authorization", "")
        if sent.startswith("Basic "):
            pair = ADDED.sub("", base64.b64decode(sent[6:]).decode())
            sent = "Basic " + base64.b64encode(pair.encode()).decode()
        if sent:
            handler.headers.replace_header("Authorization", ADDED.sub("", sent))

    def answer(self, handler, status, payload, headers=()):
        if isinstance(payload, dict) and payload.get("token_type") != "DPoP":
            payload = self.planted(payload)
        self.aviary.note_all(payload)
        headers = [(n, self.way_back(v) if n == "Location" else v) for n, v in headers]
        return super().answer(handler, status, payload, headers)

    def planted(self, found):
        if isinstance(found, list):
            return [self.planted(part) for part in found]
        if not isinstance(found, dict):
            return found
        made = {n: self.planted(v) for n, v in found.items()}
        for name in SECRET & {n for n, v in made.items() if isinstance(v, str)} - {"code"}:
            made[name] = self.given(name, made[name])
        return made

    def way_back(self, url):
        parts = urllib.parse.urlsplit(url)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if "code" in query:
            query["code"] = self.given("code", query["code"])
        return parts._replace(query=urllib.parse.urlencode(query), fragment="").geturl()


def chain(error):
    """An exception with everything it hangs on, as a debugger or a collector prints it."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return "\n".join(f"{e!r} {e} {vars(e)}" for e in seen)


def ours(value):
    return type(value).__module__.split(".")[0] in {"integrations", "campaigns"}


class Reports(logging.Handler):
    """What a mail to the administrators would say of every logged exception."""

    def __init__(self, aviary):
        super().__init__(logging.WARNING)  # rendering a report logs below
        self.aviary = aviary

    def emit(self, record):
        if record.exc_info and record.exc_info[1]:
            report = Report(getattr(record, "request", None), *record.exc_info)
            self.aviary.put("reports", report.get_traceback_text() + report.get_traceback_html())
            self.aviary.put("exceptions", chain(record.exc_info[1]))
            for frame, _line in traceback.walk_tb(record.exc_info[2]):
                held = [v for v in frame.f_locals.values() if is_dataclass(v) and ours(v)]
                self.aviary.put("reprs", repr(held))


@pytest.fixture
def aviary(monkeypatch, settings, tmp_path):
    """Watch everything that is sealed; write every log line to a file."""
    made, real_seal, real_key = Aviary(), sealing.seal, bluesky_proofs.new_key

    def seal(found, *, context):
        made.note_all(dict(found))
        for name in {"kept", "grants"} & set(found):
            made.note_all(json.loads(found[name]))
        return real_seal(found, context=context)

    def new_key():
        return made.note("dpop_key", real_key())

    monkeypatch.setattr(sealing, "seal", seal)
    monkeypatch.setattr(bluesky_oauth, "new_key", new_key)
    for key in (*settings.TOKEN_KEYS, settings.SECRET_KEY):
        made.note("our key", key)
    made.note("our key", settings.DATABASES["default"]["PASSWORD"])
    lines, sql = (logging.FileHandler(tmp_path / name) for name in ("log", "sql"))
    for handler in (lines, sql):
        handler.setFormatter(logging.Formatter(settings.LOGGING["formatters"]["line"]["format"]))
    lines.addFilter(lambda record: record.name != "django.db.backends")
    root, loggers = logging.getLogger(), list(logging.root.manager.loggerDict)
    found = [root, *(logging.getLogger(name) for name in loggers)]
    levels = [(logger, logger.level) for logger in found]
    for logger in found:
        logger.setLevel(logging.DEBUG)
    others, root.handlers = root.handlers, [lines, Reports(made)]
    logging.getLogger("django.db.backends").addHandler(sql)
    connection.force_debug_cursor = True
    yield made
    connection.force_debug_cursor = False
    root.handlers = others
    logging.getLogger("django.db.backends").removeHandler(sql)
    for logger, level in levels:
        logger.setLevel(level)


def collect(aviary, settings, tmp_path, mails=()):
    """Everything that is kept: tables, Redis, spool, logs, mails."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            path = tmp_path / "dump"
            with path.open("wb") as file:
                cursor.cursor.copy_expert(f'COPY "{table}" TO STDOUT', file)
            aviary.put(f"table {table}", path.read_bytes())
    for name in ("log", "sql"):
        aviary.put(name, (tmp_path / name).read_bytes())
    for path in sorted(settings.SPOOL_DIR.glob("*")) if settings.SPOOL_DIR.exists() else ():
        aviary.put("spool", path.name.encode() + path.read_bytes())
    store = redis.Redis.from_url(settings.REDIS_URL)
    for key in store.scan_iter("*"):
        kind = store.type(key)
        read = {
            b"string": store.get, b"list": lambda k: store.lrange(k, 0, -1), b"hash": store.hgetall,
            b"set": store.smembers, b"zset": lambda k: store.zrange(k, 0, -1, withscores=True),
        }[kind]  # fmt: skip
        value = read(key)
        aviary.put("redis", key + (value if isinstance(value, bytes) else repr(value).encode()))
        for message in value if kind == b"list" else ():
            with suppress(ValueError, KeyError):  # a task message has its arguments in base64
                aviary.put("task messages", base64.b64decode(json.loads(message)["body"]))
    for mail in mails:
        aviary.put("mails", f"{mail.subject} {mail.body} {mail.extra_headers}")


# A session's key is the key of its row, by design of Django; it belongs nowhere else.
HOME = {"session": {"table ambassadors_loginsession", "sql"}}


def leaks(aviary):
    return {hit for hit in aviary.hits() if hit[2] not in HOME.get(hit[0], ())}


# The flows -------------------------------------------------------------------------------------


class World:
    """Every network with a chatty server, people with browsers, and what they see."""

    def __init__(self, aviary, names, monkeypatch, settings, stack):
        self.aviary, self.servers = aviary, {}
        settings.SITE_URL = "https://botschaft.example"
        apps = {}
        monkeypatch.setattr(bluesky_server, "jwt", self.jwt)
        for name in names:
            kind = type("Chatty", (Chatty, pretended(name)), {"aviary": aviary})
            made = self.servers[name] = stack.enter_context(kind())
            for key, value in made.environment().items():
                monkeypatch.setenv(key, value)
            if made.app:
                secret = made.given("client_secret", made.app.client_secret)
                apps[name] = {
                    "client_id": "cid", "client_secret": secret, "options": dict(made.app.options),
                }  # fmt: skip
        client_id = f"{settings.SITE_URL}/connect/bluesky/client-metadata.json"
        secret = aviary.note("client_secret", secrets.token_urlsafe(32))
        apps["bluesky"] = {"client_id": client_id, "client_secret": secret, "options": {}}
        settings.NETWORK_APPS = {**settings.NETWORK_APPS, **apps}
        if bluesky := self.servers.get("bluesky"):
            found = clients.configured("bluesky")
            metadata = Client().get("/connect/bluesky/client-metadata.json").json()
            bluesky.clients[client_id] = (metadata, bluesky_oauth.jwks(found))
            monkeypatch.setattr(bluesky_oauth, "ENTRYWAY", bluesky.base_url)

    @staticmethod
    def jwt(seconds=7200):
        claims = json.dumps({"exp": int(time.time()) + seconds, "jti": secrets.token_hex(8)})
        return f"e30.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.sig"

    def fail(self, status, where=""):
        for made in self.servers.values():
            made.errors, made.where = status, where

    def see(self, response):
        """Keep a page with its headers; the browser's own cookie is not shown to anybody."""
        kept = {n: v for n, v in response.headers.items() if n != "Set-Cookie"}
        self.aviary.put("pages", f"{response.status_code} {kept} {response.cookies.keys()}")
        self.aviary.put("pages", response.content)
        return response

    def tried(self, work, *args, **more):
        """Do it; whatever comes of it is kept as it prints itself."""
        try:
            found = work(*args, **more)
        except Exception as error:
            self.aviary.put("exceptions", chain(error))
            return error
        self.aviary.put("results", f"{found!r} {found}")
        return found


PUBLISHING = [n for n, net in NETWORKS.items() if net.abilities.can_publish]
QUEUED = [n for n in PUBLISHING if not NETWORKS[n].abilities.needs_picture]
OAUTH = [n for n, net in NETWORKS.items() if net.abilities.connect == "oauth"]
STATUSES = (400, 401, 403, 422, 429, 500, 503) if FULL else (401, 422, 500)


@pytest.fixture
def world(aviary, monkeypatch, settings):
    with ExitStack() as stack:
        yield lambda *names: World(aviary, names, monkeypatch, settings, stack)


@pytest.fixture
def admin(person):
    return person("Piet Admin", "administrator", "curator", "hr")


def browser(aviary, person):
    made = Client(raise_request_exception=False)
    made.force_login(person)
    aviary.note("session", made.cookies["sessionid"].value)
    return made


def connecting(world, admin, monkeypatch):
    """Round trips: refused, broken off, with a mistake of ours at the end, and good ones."""
    client = browser(world.aviary, admin)
    for name in set(OAUTH) & set(world.servers):
        made, network = world.servers[name], type(get(name))
        asked = {"company": "1"} if "person" not in network.abilities.for_whom else {}
        asked |= {"server": "jona.test"} if name == "bluesky" else {}
        for status in (*(STATUSES if FULL else [500]), 0):
            way = say_yes(depart(client, made, **asked))
            world.fail(status, "(?i)token")
            seen = world.see(client.get(*way))
            assert (name, status, seen.status_code) == (name, status, 422 if status else 302)
            world.fail(0)
        if connecting_choice := ConnectAttempt.objects.filter(network=name).exclude(sealed=b"").last():  # fmt: skip
            world.see(client.get(f"/connect/choose/{connecting_choice.pk}/"))
            world.see(client.post(f"/connect/choose/{connecting_choice.pk}/", {"account": "501"}))
        with monkeypatch.context() as patch:
            patch.setattr(network, "arrive", mistaken(network.arrive))
            way = say_yes(depart(client, made, **asked))
            assert world.see(client.get(*way)).status_code == 500


def mistaken(real):
    """Our own code, which does its work and then fails with everything in its hands."""

    def work(self, *args, **more):
        found = real(self, *args, **more)
        message = f"a mistake after {type(found).__name__}"
        raise RuntimeError(message)

    return work


def with_passwords(world, admin, person):
    """The discouraged way to Bluesky, and our own login."""
    client, bluesky = browser(world.aviary, admin), world.servers["bluesky"]

    def app_password():
        parts = ("".join(random.choices(string.ascii_lowercase + "234567", k=4)) for _ in range(4))
        return world.aviary.note("app_password", "-".join(parts))

    bluesky.good = app_password()
    for password, status in (
        (app_password(), 0), (app_password(), 401), (app_password(), 500), ("moin " + app_password(), 0), (bluesky.good, 0),
    ):  # fmt: skip
        world.fail(status)
        fields = {"handle": "jona.test", "app_password": password, "pds": bluesky.base_url}
        world.see(client.post("/connect/bluesky/password/", fields))
    world.fail(0)
    ended = Client().post("/connect/bluesky/password/", fields)  # the session was over
    world.see(ended)
    assert ConnectedAccount.objects.filter(network="bluesky", remote_id="did:plc:jona").exists()
    right = world.aviary.note("password", secrets.token_urlsafe(16))
    who = person("Nam")
    who.set_password(right)
    who.save()
    visitor = Client(raise_request_exception=False)
    for password in (*(world.aviary.note("password", secrets.token_urlsafe(16)) for _ in range(4)), right):  # fmt: skip
        response = visitor.post("/accounts/login/", {"login": who.email, "password": password})
        world.see(response)
    assert response.status_code == 302
    world.aviary.note("session", visitor.cookies["sessionid"].value)


def drain():
    while claimed := claims.claim(limit=50):
        for row in claimed:
            deliveries.deliver(row)


def publishing(world, person, account_on, queue, monkeypatch):
    """Refused, ambiguous, with a mistake of ours, without the database, and good."""

    def fill(names=QUEUED):
        for number, name in enumerate(names):
            who = person(f"P{number}")
            queue(who, account_on(who, world.servers[name], f"{random.randrange(10**9)}"))

    for number, status in enumerate(STATUSES):
        fill(QUEUED if FULL else QUEUED[number::2])
        world.fail(status)
        drain()
        time_passes()
        for row in unknowns.look_due(limit=50):
            unknowns.look(row)
        tasks.renew_lapsing.apply()
        world.fail(0)
        time_passes()
        drain()
    for fault in ("reset", "truncated", "html") if FULL else ("html",):
        fill(QUEUED if FULL else QUEUED[::3])
        for made in world.servers.values():
            made.fault(fault, applied=True)
        drain()
        time_passes()
        for row in unknowns.look_due(limit=50):
            unknowns.look(row)
    with monkeypatch.context() as patch:
        for name in QUEUED:
            network = type(get(name))
            patch.setattr(network, "publish", mistaken(network.publish))
        fill(QUEUED if FULL else QUEUED[::3])
        drain()
    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "_settle", gone)
        patch.setattr(pace, "LEASE", pace.span(0))
        fill(["mastodon", "x"])
        for row in claims.claim(limit=50):
            world.tried(deliveries.deliver, row)
    states = set(Delivery.objects.values_list("state", "blocked"))
    assert {("sent", ""), ("failed", ""), ("queued", "reconnect")} <= states


def gone(*args):
    raise DatabaseError("the database is away")


def speaking(world):
    """Everything else a network is asked, with every kind of answer; and how it prints itself."""
    from .networks.test_x import outgoing

    now = timezone.now()
    for name, made in world.servers.items():
        network = get(name)
        for status in (*STATUSES, 0):
            world.fail(status)
            access = made.access(f"{random.randrange(10**9)}")
            if made.app:
                access = type(access)(
                    access.base_url, access.remote_account_id, access.handle, access.secrets,
                    access.features, clients.configured(name),
                )  # fmt: skip
            post, window = outgoing(), Window(2.0, lambda: None, now)
            world.tried(network.prepare, post, access, window)
            world.tried(network.publish, post, access, window)
            world.tried(network.look, post, access, now)
            world.tried(network.measure, ["1"], access)
            world.tried(network.conversations, "1", access)
            world.tried(network.edit, "1", "Moin", access)
            world.tried(network.remove, "1", access)
            world.tried(network.refresh, access, now)
            world.tried(network.revoke, access)
            world.aviary.put("results", f"{access!r} {window!r}")


def renewing(world, person, account_on, monkeypatch):
    """Refresh: refused, unclear, mistaken, without the database, good; pairs in the spool."""
    for name in {"x", "bluesky", "linkedin", "threads", "instagram"} & set(world.servers):
        network = type(get(name))

        def ended(name=name):
            account = account_on(person(), world.servers[name], f"{random.randrange(10**9)}")
            Token.objects.filter(account=account).update(expires_at=timezone.now())
            return account

        for status in (*(STATUSES if FULL else [401]), 0):
            account = ended()
            world.fail(status)
            world.tried(tokens.open_access, account, now=timezone.now())
            world.fail(0)
        with monkeypatch.context() as patch:
            patch.setattr(network, "refresh", mistaken(network.refresh))
            world.tried(tokens.open_access, ended(), now=timezone.now())
        with monkeypatch.context() as patch:
            patch.setattr(tokens, "_write", gone)
            world.tried(tokens.open_access, ended(), now=timezone.now())


def ending(world, admin, monkeypatch):
    """Disconnect everything: keys that are not taken back, mistakes, and good ends."""
    client = browser(world.aviary, admin)
    for account in ConnectedAccount.objects.of(admin):
        world.see(client.post(f"/me/accounts/{account.pk}/disconnect/"))
    for account in ConnectedAccount.objects.filter(disconnected_at__isnull=True):
        accounts.disconnect(account=account, by=None, now=timezone.now())
    Revocation.objects.update(due_at=timezone.now())
    world.fail(500)
    tasks.revoke_due.apply()
    world.fail(0)
    with monkeypatch.context() as patch:
        for name in ("x", "mastodon"):
            patch.setattr(type(get(name)), "revoke", mistaken(type(get(name)).revoke))
        Revocation.objects.update(due_at=timezone.now())
        assert tasks.revoke_due.apply().failed()
    Revocation.objects.filter(pk__in=list(Revocation.objects.values_list("pk", flat=True))[::2]).update(due_at=timezone.now())  # fmt: skip
    tasks.revoke_due.apply()


def walk(world, admin):
    """Every page without a number in its address, and every post."""
    client = browser(world.aviary, admin)
    for url in (
        "/", "/suggestions/", "/posts/", "/notebook/", "/desk/", "/desk/holds/", "/roster/", "/record/", "/me/accounts/",
        "/me/accounts/networks/", "/channels/", "/approvals/", "/system/", "/wall/", "/accounts/login/", "/nowhere/",
        "/connect/x/", "/connect/cb/x/?code=x&state=y", "/accounts/email/", "/accounts/2fa/",
        "/connect/bluesky/client-metadata.json", "/connect/bluesky/jwks.json",
    ):  # fmt: skip
        world.see(client.get(url))
    rows = Delivery.objects.select_related("post__person").order_by("state", "blocked", "reason")
    for row in rows if FULL else rows.distinct("state", "blocked", "reason"):
        client.force_login(row.post.person)
        world.see(client.get(f"/posts/{row.post_id}/"))
        world.see(client.get("/me/accounts/"))


def test_no_canary_is_found_anywhere(
    aviary, world, admin, person, account_on, queue, monkeypatch, settings, tmp_path, mailoutbox
):
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    there = world(*PUBLISHING)
    connecting(there, admin, monkeypatch)
    with_passwords(there, admin, person)
    publishing(there, person, account_on, queue, monkeypatch)
    speaking(there)
    renewing(there, person, account_on, monkeypatch)
    walk(there, admin)
    tasks.tell_ended.apply()
    ending(there, admin, monkeypatch)
    there.see(browser(aviary, admin).get("/record/"))
    collect(aviary, settings, tmp_path, mailoutbox)
    found = leaks(aviary)
    by_kind = {k: list(aviary.kinds.values()).count(k) for k in sorted(set(aviary.kinds.values()))}
    size = sum(map(len, aviary.places.values()))
    echoed = sum(made.asked for made in there.servers.values())
    print(
        f"{len(aviary.kinds)} canaries, {len(found)} found in {len(aviary.places)} places"
        f" ({size / 1e6:.1f} MB), {echoed} errors repeated them; {by_kind}"
    )
    assert {(kind, place) for kind, _canary, place in found} == set()
    assert len(aviary.kinds) >= 200
    assert echoed > 50
    assert set(by_kind) >= {
        "access_token", "refresh_token", "accessJwt", "refreshJwt", "client_secret", "code", "verifier",
        "dpop_key", "password", "app_password", "session", "our key",
    }  # fmt: skip
    assert {"spool", "redis", "log", "sql", "pages", "mails", "reports", "exceptions"} <= set(aviary.places)  # fmt: skip


# A net that catches ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(50 if FULL else 10))
def test_planted_canary_is_found_in_every_spelling_wherever_it_stands(number):
    canary = secrets.token_urlsafe(24) + '+/="'
    for spelling in spellings(canary):
        made = Aviary({canary: "planted"})
        made.put("here", secrets.token_bytes(random.randrange(99)) + b"x" * number + spelling)
        assert made.hits() == {("planted", canary, "here")}
        made.places = {"here": spelling[1:-1]}
        assert {place for _kind, _canary, place in made.hits()} <= {"here"}


def test_leak_in_every_place_is_found(aviary, settings, tmp_path, person, mailoutbox):
    leak = aviary.note("planted", secrets.token_urlsafe(32))
    who = person(f"Nam {leak}")
    logging.getLogger("integrations").debug("a token: %s", leak)
    try:
        raise RuntimeError(leak)
    except RuntimeError:
        logging.getLogger("django.request").exception("mistake")
    redis.Redis.from_url(settings.REDIS_URL).set("wake", leak)
    tasks.tell_claimed.apply_async(args=[leak])
    settings.SPOOL_DIR.mkdir()
    (settings.SPOOL_DIR / "token~1~1.sealed").write_text(leak)
    send_mail("Moin", leak, None, [who.email])
    collect(aviary, settings, tmp_path, mailoutbox)
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    wanted = {"table ambassadors_person", "sql", "log", "reports", "exceptions", "redis", "task messages", "spool", "mails"}  # fmt: skip
    assert {place for _kind, _canary, place in leaks(aviary)} == wanted


def test_key_that_a_network_repeats_is_found_unless_it_is_blanked(
    aviary, world, person, account_on, queue, monkeypatch, settings, tmp_path
):
    """The mutant: the same flow without the blanking leaves the key in rows."""
    there = world("mastodon")
    found = []
    for blank in (wire._without_ours, lambda content, _request: content):
        monkeypatch.setattr(wire, "_without_ours", blank)
        queue(who := person(), account_on(who, there.servers["mastodon"], secrets.token_hex(4)))
        there.fail(422)
        drain()
        aviary.places = {}
        collect(aviary, settings, tmp_path)
        found.append({place for _kind, _canary, place in leaks(aviary)})
    assert found == [set(), {"table campaigns_attempt", "table campaigns_delivery", "sql"}]


def test_report_of_a_mistake_tells_where_and_no_value(rf):
    """A mail to the administrators; Django's own report shows the token of the frame."""
    words = [secrets.token_hex(8) for _ in range(3)]  # no literals: the lines of code are shown
    request = rf.post(f"/connect/x/?code={words[0]}", {"app_password": words[1]})
    try:
        headers = {"Authorization": f"Bearer {words[2]}"}
        load_key = bluesky_proofs.load_key
        load_key(headers)
    except Exception as error:
        about = (type(error), error, error.__traceback__)
    shown = {
        kind: kind(request, *about).get_traceback_html()
        + kind(request, *about).get_traceback_text()
        for kind in (Report, ExceptionReporter)
    }
    assert [word in shown[ExceptionReporter] for word in words] == [True] * 3
    assert [word in shown[Report] for word in words] == [False] * 3
    assert "load_key" in shown[Report] and "test_secrets.py" in shown[Report]
    assert AdminEmailHandler().reporter_class is Report


def test_exception_of_the_wire_holds_nothing_of_a_request(world, aviary):
    there = world("mastodon")
    made = there.servers["mastodon"]
    token = made.access().secrets["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    made.serve = lambda handler, at, body: handler.wfile.write(f"SPAM {token}\r\n\r\n".encode())
    error = there.tried(call, "GET", made.base_url, headers=headers, seconds=2)
    assert isinstance(error, PerhapsSent) and error.__suppress_context__
    error = there.tried(call, "GET", made.base_url, headers={**headers, "X": "€"}, seconds=2)
    assert (type(error).__name__, error.__suppress_context__) == ("NotSent", True)


# Changing the key under load (G24) -------------------------------------------------------------

WORKERS, MOST, ROUNDS = (8, 40, 200) if FULL else (3, 5, 20)
LAST_KEY = base64.urlsafe_b64encode(b"the-newest-key-the-newest-key-!!").decode()


@dataclass
class Fleet:
    """Workers that open, renew, seal and spool without pause, and take new settings in step.

    ``keys`` are the settings of each stage; a worker writes down which one it has come to.
    """

    keys: list
    stage: object = field(default_factory=lambda: Value("i", 0))
    at: object = field(default_factory=lambda: Array("i", WORKERS))
    broken: object = field(default_factory=lambda: Value("i", 0))
    rounds: object = field(default_factory=lambda: Value("i", 0))
    pids: list = field(default_factory=list)

    def work(self, number, pks, settings):
        rows = {pk: ConnectedAccount.objects.get(pk=pk) for pk in pks}
        real = sealing.unseal

        def unseal(*args, **more):
            try:
                return real(*args, **more)
            except sealing.SealBroken:
                with self.broken.get_lock():
                    self.broken.value += 1
                raise

        sealing.unseal = unseal
        while True:
            stage = self.stage.value
            settings.TOKEN_KEYS = self.keys[stage]
            self.at[number] = stage
            account = rows[random.choice(pks)]
            with suppress(tokens.NoToken):
                tokens.open_access(account, now=timezone.now())
            clients._kept("mastodon", f"https://{number}.example")
            seal_app(f"https://{number}.example")
            path = spool.keep("sent", f"w{number}", {"remote_id": "1", "url": ""})
            found = list(spool.found("sent", f"w{number}"))
            if len(found) > 2:
                spool.forget(found[0][0])
            with self.broken.get_lock():
                self.broken.value += not any(kept == path for kept, _key, _answer in found)
            with self.rounds.get_lock():
                self.rounds.value += 1

    def begin(self, pks, settings):
        self.pids = [fork(self.work, number, pks, settings) for number in range(WORKERS)]

    def go_to(self, stage):
        """Have every worker restarted with the next settings."""
        self.stage.value = stage
        self.wait(lambda: set(self.at) == {stage})

    def goes_on(self, rounds):
        until = self.rounds.value + rounds
        self.wait(lambda: self.rounds.value >= until)

    def wait(self, done):
        end_at = time.monotonic() + 300
        while not done():
            assert time.monotonic() < end_at
            time.sleep(0.005)


def seal_app(base_url):
    sealed, key = sealing.seal(
        {"client_id": "c", "client_secret": "s", "options": "{}", "redirect_uri": "x"},
        context=clients._context("mastodon", base_url),
    )
    ServerApp.objects.update_or_create(
        network="mastodon", base_url=base_url,
        defaults={"sealed": sealed, "key_id": key, "registered_at": timezone.now()},
    )  # fmt: skip


def seal_push_and_chat(who, number, now):
    digest = f"{number:064}"
    chat = ChatRoom(service="teams", name=str(number), added_at=now)
    hook = Webhook(name=str(number), url="https://x.example/", events=[], made_at=now)
    for row, held, context in (
        (PushKey(created_at=now), "pem", {"kind": "push key"}),
        (PushDevice(person=who, digest=digest, created_at=now), "endpoint",
         push._context(digest, who.pk)),
        (chat, "secret", chats._context(chat)),
        (hook, "secret", webhooks._context(hook)),
    ):  # fmt: skip
        row.sealed, row.key_id = sealing.seal({held: "x"}, context=context)
        row.save()


def fill_sealed(person, server):
    """Rows of every sealed kind; returns the accounts that stay connected."""
    who, now = person(), timezone.now()
    found = [connected(who, server, str(number)) for number in range(MOST * 2)]
    for _ in range(MOST):
        factors = person()
        TOTP.activate(factors, "JBSWY3DPEHPK3PXP")
        recovery_codes.make(factors, now=now)
    for account in found[MOST:]:
        accounts.disconnect(account=account, by=who, now=now)
    for number in range(MOST):
        seal_app(f"https://still-{number}.example")
        sealed, key = sealing.seal(
            {"verifier": "v"}, context={"kind": "attempt", "of": str(number)}
        )
        ConnectAttempt.objects.create(
            state_hash=str(number), person=who, network="x", base_url="", began_at=now,
            sealed=sealed if number else b"", key_id=key,
        )  # fmt: skip
        spool.keep("token", str(10**8 + number), {"version": 1})
        seal_push_and_chat(who, number, now)
    return [account.pk for account in found[:MOST]]


def sealed_texts(settings):
    """Every sealed text there is, by where."""
    for model in rotation.sealed_models():
        for row in model._default_manager.exclude(sealed=b""):
            yield model.__name__, bytes(row.sealed), row.key_id
    for row in Authenticator.objects.all():
        for text in row.data.values():
            if isinstance(text, str):
                yield "Authenticator", text.encode(), None
    for path in settings.SPOOL_DIR.glob("*"):
        with suppress(FileNotFoundError):
            yield "spool", path.read_bytes(), None


def opened_by(settings, key):
    """How many of how many sealed texts one key alone opens; and that key ids tell the truth."""
    found = list(sealed_texts(settings))
    box = Fernet(key)
    count = 0
    for _where, sealed, key_id in found:
        with suppress(InvalidToken):
            box.decrypt(sealed)
            count += 1
            assert key_id in {None, sealing.key_id(key)}
    return count, len(found), {where for where, _sealed, _key_id in found}


def kill_in(model_rows, kept_files):
    """A rotation that dies in the middle of a batch of rows, or of a spool file."""
    left = {"rows": model_rows, "files": kept_files}

    def dying(real, name):
        def step(*args):
            left[name] -= 1
            if left[name] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args)

        return step

    def work():
        rotation._reseal = dying(rotation._reseal, "rows")
        spool._sync = dying(spool._sync, "files")
        for _ in rotation.rotate(batch=4):
            pass

    return work


def test_key_changes_under_load_and_the_old_one_opens_nothing(
    server, person, settings, monkeypatch
):
    settings.SITE_URL = "https://botschaft.example"
    server.latency, server.expires_in = 0.002, 120.02
    NETWORKS["rotating"].patience = 20.0
    old = settings.TOKEN_KEYS[0]
    pks = fill_sealed(person, server)
    fleet = Fleet([[old], [old, NEW_KEY], [NEW_KEY, old], [NEW_KEY]])
    fleet.begin(pks, settings)
    try:
        fleet.goes_on(ROUNDS)
        fleet.go_to(1)  # everybody can open the new key before anybody seals with it
        fleet.go_to(2)
        settings.TOKEN_KEYS = fleet.keys[2]
        kills = 0
        for rows, files in ((2, 10**9), (MOST + 5, 10**9), (10**9, 2)):
            status = in_child(kill_in(rows, files))
            kills += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            if kills == 1:
                by_old, some, _places = opened_by(settings, old)
                assert 0 < by_old < some
        call_command("botschaft", "rotate-keys", stdout=io.StringIO())
        fleet.goes_on(ROUNDS)
        fleet.go_to(3)
        settings.TOKEN_KEYS = fleet.keys[3]
        fleet.goes_on(ROUNDS)
    finally:
        for pid in fleet.pids:
            end(pid)
    renewed, rounds, errors = server.count("rotated"), fleet.rounds.value, fleet.broken.value
    new, total, places = opened_by(settings, NEW_KEY)
    of_old, _total, _places = opened_by(settings, old)
    asked = ConnectedAccount.objects.exclude(reconnect_reason="").count()
    print(
        f"{WORKERS} workers, {rounds} rounds, {renewed} renewals, {kills} killed rotations:"
        f" {errors} decrypt errors, {new} of {total} on the new key, the old one opens {of_old}"
    )
    assert (errors, new, of_old, kills) == (0, total, 0, 3)
    assert places == {model.__name__ for model in rotation.sealed_models()} | {
        "spool",
        "Authenticator",
    }
    assert (asked, server.count("replayed"), list(settings.SPOOL_DIR.glob("*.broken"))) == (
        0,
        0,
        [],
    )
    assert renewed >= ROUNDS / 4


def test_worker_that_does_not_know_the_new_key_is_seen(server, person, settings):
    """The mutant: a rotation before every worker can open the new key."""
    old = settings.TOKEN_KEYS[0]
    pks = fill_sealed(person, server)
    fleet = Fleet([[old]])
    fleet.begin(pks, settings)
    try:
        fleet.goes_on(3)
        settings.TOKEN_KEYS = [NEW_KEY, old]
        assert sum(rotation.rotate(batch=4)) > MOST
        fleet.goes_on(ROUNDS)
    finally:
        for pid in fleet.pids:
            end(pid)
    assert fleet.broken.value > 0


def test_what_is_over_is_no_error_of_a_rotation(server, person, settings, caplog):
    fill_sealed(person, server)
    settings.TOKEN_KEYS = [LAST_KEY, *settings.TOKEN_KEYS]
    # tokens, revocations, registrations, attempts; push keys, devices, rooms of chats, webhooks; the
    # spool
    rows = MOST + MOST + MOST + (MOST - 1) + 4 * MOST
    factors = MOST + MOST  # of authenticators and of recovery codes
    assert sum(rotation.rotate()) == rows + factors + MOST
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_half_file_of_a_dead_writer_is_sealed_anew_too(settings):
    path = spool.keep("sent", "k", {"remote_id": "1", "url": ""})
    half = path.rename(path.with_name(f".{path.name}.half"))
    os.utime(half, (0, 0))
    settings.TOKEN_KEYS = [LAST_KEY, *settings.TOKEN_KEYS]
    assert sum(rotation.rotate()) == 1
    settings.TOKEN_KEYS = [LAST_KEY]
    assert [key for _path, key, _answer in spool.found("sent")] == ["k"]
