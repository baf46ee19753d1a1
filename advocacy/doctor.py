"""``manage.py botschaft doctor``: what is wrong with an installation, each in a sentence.

A check looks and says what to do. It repairs nothing, and it tells nothing about people.
"""

import datetime as dt
import os
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from allauth.socialaccount.adapter import get_adapter
from celery import current_app
from django.conf import settings
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError
from django.utils import timezone
from redis import Redis, RedisError

from advocacy import provider_keys
from ambassadors import tombstones
from ambassadors.models import Person, Role
from campaigns import watch
from integrations import instance, limits, rotation, sealing
from integrations.networks import get

_GIGABYTE = 2**30
_CLOCKS = 2.0  # seconds that two clocks may differ
_RENEW_DAYS = 14
_HERE = {"", "localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Finding:
    """``grave``: Botschaft does not work, or not safely. Otherwise somebody should know."""

    what: str
    remedy: str
    grave: bool = True


Check = Callable[[], Iterator[Finding]]


def examine() -> list[tuple[str, list[Finding]]]:
    """Every check with what it found. Without a database only those that need none are made."""
    found = [(name, list(check())) for name, check in _ALONE]
    database = list(_database())
    found.append(("PostgreSQL", database))
    if any(finding.grave for finding in database):
        return found
    return found + [(name, list(check())) for name, check in _WITH_DATABASE]


# What needs no database -----------------------------------------------------------------------


def _addresses() -> Iterator[Finding]:
    parts = urlsplit(settings.SITE_URL)
    local = parts.hostname in {"localhost", "127.0.0.1"}
    if parts.scheme != "https" and not local:
        yield Finding(
            f"SITE_URL is {settings.SITE_URL}, which is not https.",
            "Logins and keys would cross the network readable. Set the https address.",
        )
    hosts = settings.ALLOWED_HOSTS
    if parts.hostname not in hosts and "*" not in hosts:
        yield Finding(
            f"ALLOWED_HOSTS does not name {parts.hostname}.",
            "Every page would answer 400. Add the host of SITE_URL.",
        )
    if settings.DEMO and not local:
        yield Finding(
            "DEMO is on at a public address.",
            "Anybody logs in as anybody. Unset DEMO.",
        )
    if settings.SECRET_ADDRESSES:
        yield Finding(
            "SECRET_ADDRESSES is on: addresses of calendars may have their password in them.",
            "Unset it as soon as all programs here can send a password; the others then stop.",
            grave=False,
        )
    if settings.DEBUG:
        yield Finding("DEBUG is on.", "Error pages show settings and texts. Unset DEBUG.")


def _certificate() -> Iterator[Finding]:
    """What browsers would say; from where we cannot reach ourselves nothing is known."""
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme != "https":
        return
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 443), 3) as link:
            talk = ssl.create_default_context().wrap_socket(link, server_hostname=parts.hostname)
            until = ssl.cert_time_to_seconds(str((talk.getpeercert() or {}).get("notAfter")))
            talk.close()
    except ssl.SSLCertVerificationError as error:
        yield Finding(
            f"The certificate of {parts.netloc} is not trusted: {error.verify_message}.",
            "Browsers warn, apps refuse. Give the proxy a publicly trusted one, with its chain.",
        )
        return
    except (OSError, ValueError):
        return
    days = (until - timezone.now().timestamp()) / 86_400
    if days < _RENEW_DAYS:
        yield Finding(
            f"The certificate of {parts.netloc} ends in {days:.0f} days.", "Renew it.", grave=False
        )


def _keys() -> Iterator[Finding]:
    for number, key in enumerate(settings.TOKEN_KEYS, 1):
        try:
            sealing.box(key)
        except ValueError:
            yield Finding(
                f"Key {number} of TOKEN_KEYS is no key.",
                "Make one with Fernet.generate_key(): 44 signs. Keep the others.",
            )
    if len(settings.SECRET_KEY) < 32:
        yield Finding(
            "SECRET_KEY is shorter than 32 signs.", "Make a long random one; all log in anew."
        )


def _files() -> Iterator[Finding]:
    place = Path(settings.VAR_DIR)
    if not os.access(place, os.W_OK):
        yield Finding(
            f"VAR_DIR {place} cannot be written to.",
            "Pictures and the mark against double posts lie there. Mount it, set its owner.",
        )
        return
    free = shutil.disk_usage(place).free
    if free < _GIGABYTE:
        yield Finding(
            f"{free / _GIGABYTE:.1f} GB are free under {place}.", "Make room.", grave=False
        )
    if not (Path(settings.LOCALE_PATHS[0]) / "de/LC_MESSAGES/django.mo").exists():
        yield Finding(
            "The German texts are not compiled.",
            "Run: pybabel compile -D django -d locale",
            grave=False,
        )


def _readable(what: str, host: str, setting: str) -> Finding:
    return Finding(
        f"{what} at {host} is reached without TLS, or without a look at its certificate.",
        f"Whoever is between reads and changes what passes. Set {setting}.",
        grave=False,
    )


def _redis() -> Iterator[Finding]:
    parts = urlsplit(settings.REDIS_URL)
    checked = parts.scheme == "rediss" and "ssl_cert_reqs=required" in parts.query
    if not (checked or parts.scheme == "unix" or (parts.hostname or "") in _HERE):
        yield _readable("Redis", str(parts.hostname), "REDIS_URL=rediss://…?ssl_ca_certs=…")
    try:
        link = Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3)
        policy = str(link.config_get("maxmemory-policy").get("maxmemory-policy", ""))
    except RedisError as error:
        yield Finding(
            f"Redis does not answer: {first_line(error)}",
            "Workers send on without it, every 15 seconds; clicks are not counted. Start it.",
        )
        return
    if policy not in {"", "noeviction"}:
        yield Finding(
            f"Redis throws keys away when it is full ({policy}).",
            "Wake-ups and clicks would vanish. Set maxmemory-policy noeviction.",
            grave=False,
        )


def _mail() -> Iterator[Finding]:
    smtp = settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
    tls = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL
    if smtp and not tls and settings.EMAIL_HOST not in _HERE:
        yield _readable("The mail server", settings.EMAIL_HOST, "EMAIL_USE_TLS=1")
    try:
        link = get_connection()
        link.open()
        link.close()
    except OSError as error:
        yield Finding(
            f"The mail server does not take us: {first_line(error)}",
            "Look at EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER and EMAIL_USE_TLS.",
            grave=False,
        )
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost") and not settings.DEMO:
        yield Finding(
            "DEFAULT_FROM_EMAIL is not set.", "Mails from localhost arrive nowhere.", grave=False
        )


# What needs it ----------------------------------------------------------------------------------


def _database() -> Iterator[Finding]:
    how = connection.get_connection_params()
    host = str(how.get("host") or "")
    if not (how.get("sslmode") == "verify-full" or host.startswith("/") or host in _HERE):
        yield _readable("PostgreSQL", host, "DATABASE_URL=…?sslmode=verify-full&sslrootcert=…")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp(), current_setting('server_version_num')::int")
            now, version = cursor.fetchone()
    except DatabaseError as error:
        yield Finding(
            f"PostgreSQL does not answer: {first_line(error)}",
            "Nothing works without it. Look at DATABASE_URL and whether it runs.",
        )
        return
    if version < 150000:
        yield Finding(f"PostgreSQL {version // 10000} is too old.", "Botschaft needs 15 or later.")
    off = abs((timezone.now() - now).total_seconds())
    if off > _CLOCKS:
        yield Finding(
            f"This machine's clock and the database's differ by {off:.0f} seconds.",
            "Posts go by the database's clock, pages by this one. Run NTP on both.",
            grave=False,
        )
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        yield Finding(
            f"{len(waiting)} migrations have not run.", "Run: manage.py migrate, then restart all."
        )


def _installation() -> Iterator[Finding]:
    now = timezone.now()
    row = instance.the()
    if row.stopped_at:
        yield Finding(
            f"Nothing is published since {row.stopped_at:%Y-%m-%d %H:%M} UTC ({row.stopped_why}).",
            "When no other copy runs: manage.py confirm_installation --yes",
        )
    if watch.waiting(now=now, since=watch.STANDSTILL):
        yield Finding(
            "Posts are due, and no worker takes them.",
            "Look whether the workers run and reach PostgreSQL and the networks.",
        )
    for (network, address), since in sorted(limits.silent().items()):
        yield Finding(
            f"{get(network).abilities.label} {address} answers nothing since"
            f" {since.astimezone(dt.UTC):%H:%M} UTC.".replace("  ", " "),
            "Posts wait and leave when it answers. If it lasts, look at your network's way out.",
            grave=False,
        )
    if tombstones.behind():
        yield Finding(
            "The list of erased people cannot be read, or knows fewer than the database.",
            "docs/operations.md, After a restore, says what to do.",
        )


def _workers() -> Iterator[Finding]:
    try:
        answers = current_app.control.inspect(timeout=3).ping() or {}
    except (OSError, RedisError) as error:
        yield Finding(f"Workers cannot be asked: {first_line(error)}", "Look at Redis first.")
        return
    if not answers:
        yield Finding(
            "No worker answers.", "Start one: celery -A advocacy.celery worker, and one beat."
        )


def _sealed() -> Iterator[Finding]:
    if rotation.waits():
        yield Finding(
            "Some secrets are sealed with an older key.",
            "Run: manage.py botschaft rotate-keys; then the old key may go.",
            grave=False,
        )


def _administrators() -> Iterator[Finding]:
    here = Person.objects.filter(left_at__isnull=True, is_active=True)
    if not here.filter(role__name=Role.Name.ADMINISTRATOR).exists():
        yield Finding(
            "Nobody is an administrator.",
            "Run: manage.py botschaft role give ADDRESS administrator",
        )


def _company_login() -> Iterator[Finding]:
    """How strong the keys are on which logins at the company rest, and whether they are taken."""
    wanted, apps = settings.LOGIN_RSA_BITS, get_adapter().list_apps(None)
    if apps and wanted < settings.RSA_STRONG:
        yield Finding(
            f"LOGIN_RSA_BITS is {wanted}: logins rest on 112 bits of strength, all else on 128.",
            "Unset it once the provider signs with 3072 bits or an elliptic curve.",
            grave=False,
        )
    for app in apps:
        try:
            keys, ours = provider_keys.published(app), provider_keys.own(app)
        except Exception as error:  # noqa: BLE001 - for metadata that are none a library raises it bare
            yield Finding(
                f"Keys of the company's login cannot be read: {first_line(error)}",
                "Look at OIDC_SERVER_URL or SAML_… and whether the provider is reached from here.",
                grave=False,
            )
            continue
        if short := [key.key_size for key in keys if not provider_keys.is_long(key)]:
            yield Finding(
                f"The company's provider has signing keys of {min(short)} bits, and logins by them"
                f" are refused: LOGIN_RSA_BITS is {wanted}.",
                "Let it sign with 3072 bits or an elliptic curve. If it cannot (Entra ID), set"
                " LOGIN_RSA_BITS=2048.",
                grave=len(short) == len(keys),
            )
        for key in ours:
            if not provider_keys.is_long(key):
                yield Finding(
                    f"SAML_SP_CERTIFICATE has a key of {key.key_size} bits.",
                    "Make a pair of 3072 bits, and give the provider the new certificate.",
                    grave=False,
                )


def first_line(error: Exception) -> str:
    """What a server said, in a line; the kind of mistake where it said nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


_ALONE: list[tuple[str, Check]] = [
    ("Addresses", _addresses),
    ("Certificate", _certificate),
    ("Keys", _keys),
    ("Files", _files),
    ("Redis", _redis),
    ("Mail", _mail),
]
_WITH_DATABASE: list[tuple[str, Check]] = [
    ("Installation", _installation),
    ("Workers", _workers),
    ("Sealed secrets", _sealed),
    ("Administrators", _administrators),
    ("Company login", _company_login),
]
