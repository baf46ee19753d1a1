"""TLS between us and everything else: the proxy's file, PostgreSQL, Redis, the company's provider."""

import contextlib
import http.client
import http.server
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import dj_database_url
import psycopg2
import pytest
import redis
import requests
import yaml
from allauth.socialaccount.adapter import get_adapter
from django.conf import settings as here
from django.core.cache.backends.redis import RedisCache
from kombu import Connection
from kombu.exceptions import OperationalError

from advocacy import alive, doctor, wsgi
from advocacy import settings as ours

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def inner(tmp_path_factory):
    """What deploy/secrets.sh makes, in a folder of its own."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here")
    home = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "deploy", home / "deploy")
    (home / ".env").write_text("SITE_HOST=hallo.example\nSECRET_KEY=kept-from-before\n")
    subprocess.run(["bash", home / "deploy/secrets.sh"], check=True, capture_output=True)
    return home / "secrets"


def test_secrets_are_closed_to_others_in_a_folder_that_was_there_before(inner, tmp_path):
    shutil.copytree(inner.parent / "deploy", tmp_path / "deploy")
    (tmp_path / "secrets").mkdir(mode=0o755)
    subprocess.run(["bash", tmp_path / "deploy/secrets.sh"], check=True, capture_output=True)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


@pytest.fixture(scope="module")
def stranger(inner, tmp_path_factory):
    """Another authority, which signed nothing of ours."""
    there = tmp_path_factory.mktemp("other")
    shutil.copytree(inner.parent / "deploy", there / "deploy")
    subprocess.run(["bash", there / "deploy/secrets.sh"], check=True, capture_output=True)
    return there / "secrets/inner_ca"


def serving(inner, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(inner / f"{name}_cert", inner / f"{name}_key")
    return context


def pump(one, other):
    with contextlib.suppress(OSError, ValueError):
        while piece := one.recv(65_536):
            other.sendall(piece)
    for each in (one, other):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay(context, there, *, postgres=False):
    """TLS before a service that talks plainly; returns the port. PostgreSQL is asked for TLS first."""
    door = socket.create_server(("127.0.0.1", 0))

    def one(link):
        with contextlib.suppress(OSError):
            if postgres:
                link.recv(8)
                link.sendall(b"S")
            talk = context.wrap_socket(link, server_side=True)
            far = socket.socket(socket.AF_UNIX if isinstance(there, str) else socket.AF_INET)
            far.connect(there)
            threading.Thread(target=pump, args=(far, talk), daemon=True).start()
            pump(talk, far)

    def listen():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(door.accept()[0],), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    yield door.getsockname()[1]
    door.close()


# The secrets -------------------------------------------------------------------------------------


def test_secrets_are_made_once_and_taken_over_from_before(inner):
    before = {path.name: path.read_text() for path in inner.iterdir()}
    assert before["secret_key"] == "kept-from-before"
    assert len({before[f"{name}_password"] for name in ("app", "postgres", "redis")}) == 3
    assert min(len(before[f"{name}_password"]) for name in ("app", "postgres", "redis")) >= 40
    subprocess.run(["bash", inner.parent / "deploy/secrets.sh"], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in inner.iterdir()} == before
    assert (inner.stat().st_mode & 0o777, (inner / "inner_ca_key").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


# Redis and PostgreSQL ----------------------------------------------------------------------------


def test_redis_is_reached_over_tls_by_every_part_and_not_under_another_certificate(
    inner, stranger, monkeypatch
):
    plain = urllib.parse.urlsplit(here.REDIS_URL)
    with relay(serving(inner, "redis"), (plain.hostname, plain.port)) as port:
        monkeypatch.setenv(
            "REDIS_URL", f"rediss://127.0.0.1:{port}{plain.path}?ssl_ca_certs={inner / 'inner_ca'}"
        )
        monkeypatch.setenv("REDIS_PASSWORD", plain.password or "")
        good = ours._redis_url()
        assert good.endswith("&ssl_cert_reqs=required&ssl_check_hostname=true")
        assert redis.Redis.from_url(good).ping()
        kept = RedisCache(good, {"OPTIONS": here.CACHES["default"]["OPTIONS"]})
        kept.set("over-tls", [1, "ü"], 5)
        assert kept.get("over-tls") == [1, "ü"]
        with Connection(good) as broker:
            broker.ensure_connection(max_retries=1, timeout=5)
        bad = good.replace(str(inner / "inner_ca"), str(stranger))
        with pytest.raises(redis.ConnectionError, match="certificate"):
            redis.Redis.from_url(bad).ping()
        with pytest.raises(redis.ConnectionError, match="certificate"):
            RedisCache(bad, {}).get("over-tls")
        with Connection(bad) as broker, pytest.raises(OperationalError, match="certificate"):
            broker.default_channel.client.ping()


def test_password_of_redis_comes_from_a_setting_of_its_own(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://redis:6379/0")
    monkeypatch.setenv("REDIS_PASSWORD", "a/b@c")
    found = redis.ConnectionPool.from_url(ours._redis_url()).connection_kwargs
    assert (found["password"], found["host"]) == ("a/b@c", "redis")


def test_postgresql_is_reached_over_tls_and_not_under_another_certificate(inner, stranger):
    base = here.DATABASES["default"]
    host, at = base["HOST"] or "127.0.0.1", int(base["PORT"] or 5432)
    there = f"{host}/.s.PGSQL.{at}" if host.startswith("/") else (host, at)

    def open_(port, authority, name="127.0.0.1"):
        url = f"postgresql://{base['USER']}@{name}:{port}/postgres?sslmode=verify-full&sslrootcert={authority}"
        found = dj_database_url.parse(url)
        link = psycopg2.connect(
            host=found["HOST"], port=found["PORT"], user=found["USER"], password=base["PASSWORD"] or None,
            dbname="postgres", connect_timeout=5, **found["OPTIONS"],
        )  # fmt: skip
        with contextlib.closing(link):
            return link.info.ssl_in_use

    with relay(serving(inner, "postgres"), there, postgres=True) as port:
        assert open_(port, inner / "inner_ca")
        with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
            open_(port, stranger)
        with pytest.raises(psycopg2.OperationalError, match="does not match host name"):
            open_(port, inner / "inner_ca", name="localhost")


# The proxy ---------------------------------------------------------------------------------------


class Echo(http.server.BaseHTTPRequestHandler):
    """Says which headers arrived."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        said = json.dumps([[name, value] for name, value in self.headers.items()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def proxy(inner, tmp_path_factory):
    """nginx with the file that we deliver, before a server that echoes; ports of http and https."""
    if not shutil.which("nginx"):
        pytest.skip("nginx is not here")
    home = tmp_path_factory.mktemp("nginx")
    home.chmod(0o777)
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    web.socket = serving(inner, "web").wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        plain, tls = one.getsockname()[1], two.getsockname()[1]
    text = (ROOT / "deploy/nginx.conf").read_text()
    for there, instead in {
        "/tmp/": f"{home}/", " /bodies": f" {home}/bodies", "server web:8000 resolve;": f"server 127.0.0.1:{web.server_port};",
        "listen 80 ": f"listen 127.0.0.1:{plain} ", "listen 443 ": f"listen 127.0.0.1:{tls} ",
        "/run/secrets/site_cert": str(inner / "web_cert"), "/run/secrets/site_key": str(inner / "web_key"),
        "/run/secrets/inner_ca": str(inner / "inner_ca"), "worker_processes auto": "worker_processes 1",
    }.items():  # fmt: skip
        assert there in text, there
        text = text.replace(there, instead)
    (home / "nginx.conf").write_text(f"daemon off; user root;\n{text}")
    process = subprocess.Popen(["nginx", "-c", home / "nginx.conf"], stderr=subprocess.PIPE)
    for _n in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", tls), 1):
            break
        time.sleep(0.1)
    yield plain, tls
    process.terminate()
    process.wait()
    web.shutdown()
    web.server_close()


def ask(port, path, *, tls=None, headers=None, seconds=10):
    link = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=seconds, context=tls)
        if tls
        else http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    )
    link.request("GET", path, headers={"Host": "hallo.example", **(headers or {})})
    answer = link.getresponse()
    body = answer.read()
    link.close()
    return answer.status, answer.getheader("Location"), body


def test_people_are_led_to_https_and_programs_are_not(proxy):
    plain, _tls = proxy
    assert ask(plain, "/me/?x=1")[:2] == (308, "https://hallo.example/me/?x=1")
    for path in ("/api/v1/topics", "/scim/v2/Users", "/api"):
        assert ask(plain, path)[:2] == (403, None)
    assert ask(plain, "/apiary/")[0] == 308


def test_visitor_cannot_write_what_the_proxy_says(proxy, inner):
    trust = ssl.create_default_context(cafile=inner / "inner_ca")
    forged = {
        "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "81", "Forwarded": "for=192.0.2.1", "X-Real-IP": "192.0.2.1",
    }  # fmt: skip
    status, _location, body = ask(proxy[1], "/", tls=trust, headers=forged)
    arrived = {name.lower(): value for name, value in json.loads(body)}
    assert status == 200
    assert {name: value for name, value in arrived.items() if "forward" in name or "real" in name} == {
        "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https",
    }  # fmt: skip
    assert arrived["host"] == "hallo.example"


def test_only_a_lesson_takes_a_film_and_no_body_lies_in_memory(proxy, inner):
    trust = ssl.create_default_context(cafile=inner / "inner_ca")
    film = {"Content-Length": str(300 * 1024 * 1024)}
    for path in ("/", "/accounts/login/", "/people/training/lessons/7/act/", "/api/v1/x"):
        assert ask(proxy[1], path, tls=trust, headers=film)[0] == 413, path
    with pytest.raises(TimeoutError):  # it waits for the film
        ask(proxy[1], "/people/training/lessons/7/", tls=trust, headers=film, seconds=2)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["proxy"]
    place = re.search(r"client_body_temp_path (\S+);", (ROOT / "deploy/nginx.conf").read_text())[1]
    assert f"bodies:{place}" in compose["volumes"]  # what lies in a tmpfs counts as its memory


@pytest.mark.parametrize(
    "length", [("Content-Length", str(300 * 1024 * 1024)), ("Transfer-Encoding", "chunked")]
)
def test_few_films_of_one_address_wait_at_once(proxy, inner, length):
    """Each waits on the proxy's disk, whoever sends it; pages and words are kept from nobody."""
    trust = ssl.create_default_context(cafile=inner / "inner_ca")
    lesson, said = "/people/training/lessons/7/", []
    with contextlib.ExitStack() as stack:
        for _n in range(3):
            link = http.client.HTTPSConnection("127.0.0.1", proxy[1], timeout=1, context=trust)
            stack.callback(link.close)
            link.putrequest("POST", lesson)
            link.putheader(*length)
            link.endheaders(b"1\r\na\r\n")
            try:
                said.append(link.getresponse().status)
            except TimeoutError:
                said.append("waits")
        words = {"Content-Length": "2000000"}
        with pytest.raises(TimeoutError):
            ask(proxy[1], lesson, tls=trust, headers=words, seconds=1)
        assert (said, ask(proxy[1], lesson, tls=trust)[0]) == (["waits", "waits", 429], 200)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "works"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)]
)
def test_proxy_speaks_tls_1_2_and_1_3_only(proxy, inner, version, works):
    trust = ssl.create_default_context(cafile=inner / "inner_ca")
    trust.set_ciphers("ALL:@SECLEVEL=0")
    trust.minimum_version = ssl.TLSVersion.TLSv1_2 if works else ssl.TLSVersion.MINIMUM_SUPPORTED
    trust.maximum_version = getattr(ssl.TLSVersion, version)
    if works:
        assert ask(proxy[1], "/", tls=trust)[0] == 200
    else:
        with pytest.raises(ssl.SSLError):
            ask(proxy[1], "/", tls=trust)


@pytest.mark.parametrize(
    "suite", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"]
)
def test_proxy_has_no_weak_cipher_suite(proxy, inner, suite):
    trust = ssl.create_default_context(cafile=inner / "inner_ca")
    trust.set_ciphers(f"{suite}:@SECLEVEL=0")
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        ask(proxy[1], "/", tls=trust)


def test_proxy_believes_no_other_web(proxy):
    text = (ROOT / "deploy/nginx.conf").read_text()
    assert re.search(
        r"proxy_ssl_verify on;\s+proxy_ssl_trusted_certificate /run/secrets/inner_ca;", text
    )


# Our own door ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "scheme"), [("https://hallo.example", "https"), ("http://localhost", "http")]
)
def test_scheme_is_that_of_site_url_whatever_a_header_says(settings, monkeypatch, site, scheme):
    settings.SITE_URL = site
    seen = []
    monkeypatch.setattr(wsgi, "_django", lambda environ, _start: seen.append(environ) or [])
    wsgi.application({"wsgi.url_scheme": "ftp", "HTTP_X_FORWARDED_PROTO": "gopher"}, None)
    assert [one["wsgi.url_scheme"] for one in seen] == [scheme]
    assert here.SECURE_PROXY_SSL_HEADER is None


def test_health_of_a_web_that_talks_tls(inner, stranger, monkeypatch):
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    web.socket = serving(inner, "web").wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    monkeypatch.setenv("PORT", str(web.server_port))
    monkeypatch.setenv("WEB_CA", str(inner / "inner_ca"))
    assert alive.web()
    monkeypatch.setenv("WEB_CA", str(stranger))
    assert not alive.web()
    web.shutdown()
    web.server_close()


def test_doctor_sees_a_certificate_that_no_browser_takes(inner, settings):
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    web.socket = serving(inner, "web").wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    settings.SITE_URL = f"https://127.0.0.1:{web.server_port}"
    [found] = doctor._certificate()
    assert "is not trusted" in found.what
    web.shutdown()
    web.server_close()


def test_company_provider_leads_us_nowhere_else():
    class Moved(Echo):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", "/inside")
            self.send_header("Content-Length", "0")
            self.end_headers()

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Moved)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with pytest.raises(requests.TooManyRedirects), get_adapter().get_requests_session() as session:
        session.get(f"http://127.0.0.1:{web.server_port}/")
    web.shutdown()
    web.server_close()
