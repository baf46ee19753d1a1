"""The real thing on one machine, made to be broken: services, networks, workers, beat, web.

    with Fleet(accounts=50, latency=0.05, faults=0.1) as fleet:
        seed(fleet, 1000, spread=30)
        fleet.start_workers()
        fleet.kill_child(); fleet.kill_worker(); fleet.crash_redis(); fleet.crash_postgres(1.0)
        fleet.settle(120)

Everything is started from the main thread, lives in one temporary directory and ends with the
block. Leases and pauses are TIME_SCALE times shorter than in life, the gate is not.
"""

import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from pathlib import Path

from advocacy import embedded

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = ("mastodon", "bluesky", "linkedin", "x")
TIME_SCALE = 0.1  # a lease is 6 s, a send may take 3 s
PATIENCE = 30 * TIME_SCALE + 1.0  # seconds; longer than a send may take

# A witness beside our own audit: what really happened to a delivery's row, written by a trigger.
WITNESS = """
CREATE TABLE chaos_change (
    id bigserial PRIMARY KEY, delivery_id bigint, at timestamptz DEFAULT clock_timestamp(),
    source text, target text, fence int, fence_after int, delayed bool);
CREATE FUNCTION chaos_witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_change (delivery_id, source, target, fence, fence_after, delayed)
    VALUES (NEW.id, OLD.state, NEW.state, OLD.fence, NEW.fence,
            NEW.state = 'queued' AND (NEW.next_at IS NOT NULL OR NEW.blocked <> ''));
    RETURN NULL; END $$;
CREATE TRIGGER chaos_witness AFTER UPDATE ON campaigns_delivery FOR EACH ROW
WHEN (OLD.state <> NEW.state OR OLD.fence <> NEW.fence OR OLD.blocked <> NEW.blocked
      OR OLD.next_at IS DISTINCT FROM NEW.next_at)
EXECUTE FUNCTION chaos_witness();
"""


class Fleet:
    """All processes of one run, by name. ``spoilt`` counts what was done to them."""

    def __init__(
        self,
        *,
        networks=NETWORKS,
        accounts=25,
        latency=0.05,
        faults=0.0,
        seed=1,
        processes=4,
        children=4,
        time_scale=TIME_SCALE,
        web=True,
        witness=True,
    ):
        self.networks, self.accounts, self.seed = networks, accounts, seed
        self.latency, self.faults, self.time_scale = latency, faults, time_scale
        self.size, self.children, self.web, self.witness = processes, children, web, witness
        self.dice = random.Random(seed)
        self.processes = {}
        self.told = {}
        self.spoilt = {}
        self.farewells = []  # of replaced workers: seconds, exit code
        self.stack = contextlib.ExitStack()
        self.failpoints = ""

    # Beginning and end ----------------------------------------------------------------------

    def __enter__(self):
        with self.stack:
            self._begin()
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def _begin(self):
        self.home = Path(tempfile.mkdtemp(prefix="botschaft-chaos-", dir="/var/tmp"))
        self.stack.callback(shutil.rmtree, self.home, ignore_errors=True)
        self.home.chmod(0o711)
        self.ports = {"web": embedded.free_port()}
        self.env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": secrets.token_hex(32),
            "TOKEN_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "SITE_URL": f"http://localhost:{self.ports['web']}",
            "VAR_DIR": str(self.home / "var"),
            "BEAT_SCHEDULE": str(self.home / "beat"),
            "DJANGO_SETTINGS_MODULE": "advocacy.settings",
            "DEBUG_FAILPOINTS": "1",
            "TIME_SCALE": str(self.time_scale),
            "LOG_LEVEL": "WARNING",
            "X_MONTHLY_BUDGET": "1000000",
            "MFA_REQUIRED_ROLES": "",  # the curator of the storm has no second factor to show
            "LOOPBACK_HOSTS": f"localhost:{self.ports['web']}",
        }
        (self.home / "var").mkdir()
        self._start_postgres()
        self._start_redis()
        self.stack.callback(self._end)
        self._start_networks()
        self.run("manage.py", "migrate", "--no-input")
        os.environ.update(self.env)
        import django

        django.setup()
        if self.witness:
            self.sql(WITNESS)
        if self.web:
            self._start_web()

    def _end(self):
        """End what is left, kindly, then not. Stopped ones are woken so that they can end."""
        for process in self.processes.values():
            for how in (signal.SIGCONT, signal.SIGTERM):
                _signal_group(process, how)
        end = time.monotonic() + 5
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(end - time.monotonic(), 0.1))
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def start(self, name, *command, **env):
        """Start a process in a group of its own; its words go to ``<name>.log``."""
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**self.env, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent,
            )
        return self.processes[name]

    def run(self, *command):
        """Run a Python command to its end. Raises CalledProcessError after showing its words."""
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.env, capture_output=True, check=False
        )
        if done.returncode:
            print((done.stdout + done.stderr).decode(errors="replace"), file=sys.stderr)
        done.check_returncode()

    def _start_postgres(self):
        url, self.postgres = self.stack.enter_context(
            embedded.postgres(self.home, self.ports.get("postgres"), max_connections="300")
        )
        self.ports["postgres"] = int(url.rsplit(":", 1)[1].split("/")[0])
        self.env["DATABASE_URL"] = url

    def _start_redis(self):
        url, self.redis = self.stack.enter_context(
            embedded.redis(self.home, self.ports.get("redis"))
        )
        self.ports["redis"] = int(url.rsplit(":", 1)[1].split("/")[0])
        self.env["REDIS_URL"] = url

    def _start_networks(self):
        for name in self.networks:
            self.start(
                name, "-m", "tests.chaos.networks", name, "--home", str(self.home),
                "--accounts", str(self.accounts), "--latency", str(self.latency),
                "--faults", str(self.faults), "--seed", str(self.seed),
                "--patience", str(30 * self.time_scale + 1),
            )  # fmt: skip
        for name in self.networks:
            path = self.home / f"{name}.json"
            wait_for(path.exists, 20, f"the pretended {name}", lambda n=name: self.log(n))
            self.told[name] = json.loads(path.read_text())
            for key, value in self.told[name]["environment"].items():
                known = self.env["LOOPBACK_HOSTS"] if key == "LOOPBACK_HOSTS" else ""
                self.env[key] = f"{known},{value}" if known else value

    def _start_web(self):
        self.start(
            "web", "-m", "gunicorn", "advocacy.wsgi", "--bind", f"127.0.0.1:{self.ports['web']}",
            "--worker-class", "gthread", "--workers", "1", "--threads", "8",
            "--log-level", "warning", "--no-control-socket",
        )  # fmt: skip
        import urllib.request

        def answers():
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(f"{self.env['SITE_URL']}/healthz", timeout=2)
            return None

        wait_for(answers, 30, "the web server", lambda: self.log("web"))

    # Workers --------------------------------------------------------------------------------

    def start_workers(self, failpoints=""):
        """Start all workers and beat; ``failpoints`` as in ``campaigns/failpoints.py``."""
        self.failpoints = failpoints
        for number in range(self.size):
            self.start_worker(f"worker{number + 1}")
        self.start("beat", "-m", "celery", "-A", "advocacy", "beat", "--loglevel", "WARNING")

    def start_worker(self, name):
        """Start one worker process with its children."""
        self.start(
            name, "-m", "celery", "-A", "advocacy", "worker", "--loglevel", "WARNING",
            "--concurrency", str(self.children), "-n", f"{name}.{time.monotonic_ns()}@chaos",
            FAILPOINTS=self.failpoints,
        )  # fmt: skip

    def stop_workers(self):
        """Kill all workers and beat; what they had begun stays as it is."""
        for name in [*self.workers(), "beat"]:
            process = self.processes.pop(name, None)
            if process:
                _signal_group(process, signal.SIGKILL)
                process.wait()

    def workers(self):
        """Names of the running workers."""
        return [name for name in self.processes if name.startswith("worker")]

    def child(self):
        """The pid of any worker's child, None when all are just starting."""
        pids = [pid for name in self.workers() for pid in children(self.processes[name].pid)]
        return self.dice.choice(pids) if pids else None

    def nudge(self):
        """What the web does after a share. Without Redis the tick finds the rows."""
        from campaigns.tasks import publish_due

        with contextlib.suppress(Exception):
            publish_due.apply_async(retry=False)

    def supervise(self):
        """Start each worker again that ended, as compose does.

        Celery gives up a worker whose child is killed before the worker is ready
        (``Could not start worker processes``), which takes many seconds on a busy machine.
        """
        for name in self.workers():
            if self.processes[name].poll() is not None:
                self._count("workers that gave up")
                self.start_worker(name)

    # Trouble --------------------------------------------------------------------------------

    def _count(self, what):
        self.spoilt[what] = self.spoilt.get(what, 0) + 1

    def kill_child(self):
        """SIGKILL one child of a worker."""
        pid = self.child()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self._count("kills")

    def kill_worker(self):
        """SIGKILL a worker with all its children, and start a new one as a supervisor would."""
        name = self.dice.choice(self.workers())
        _signal_group(self.processes[name], signal.SIGKILL)
        self.processes[name].wait()
        self._count("kills")
        self._count("workers killed")
        self.start_worker(name)

    def freeze_child(self):
        """SIGSTOP one child; returns what wakes it up."""
        pid = self.child()
        if not pid:
            return lambda: None
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self._count("stops")

        def wake():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        return wake

    def replace_worker(self):
        """Deploy: start a new worker, ask an old one to end (SIGTERM); returns the old one."""
        name = self.workers()[0]
        old = self.processes.pop(name)
        self.processes[f"old {old.pid}"] = old  # so that it ends with us whatever happens
        self.start_worker(name)
        os.kill(old.pid, signal.SIGTERM)
        self._count("deploys")
        return old

    def crash_redis(self):
        """Kill Redis and start it empty on the same port."""
        self.redis.kill()
        self.redis.wait()
        self._start_redis()
        self._count("redis crashes")

    def crash_postgres(self, away):
        """Stop PostgreSQL at once, without a checkpoint; it is back after ``away`` seconds."""
        self.postgres.send_signal(signal.SIGQUIT)
        self.postgres.wait(20)
        time.sleep(away)
        self._start_postgres()
        self._count("postgres crashes")

    # Watching -------------------------------------------------------------------------------

    def sql(self, text, *values, patience=30.0):
        """Run one statement on a connection that survives crashes; returns rows."""
        from django.db import Error, connection

        end = time.monotonic() + patience
        while True:
            try:
                with connection.cursor() as cursor:
                    cursor.execute(text, values or None)
                    return cursor.fetchall() if cursor.description else []
            except Error:
                connection.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def open_deliveries(self):
        """How many are neither over nor waiting for a person."""
        return self.sql(
            "SELECT count(*) FROM campaigns_delivery WHERE state = 'sending'"
            " OR (state = 'queued' AND blocked = '') OR (state = 'unknown' AND look_at IS NOT NULL)"
        )[0][0]

    def settle(self, seconds, every=lambda: None):
        """Wait until nothing is open; tells how many still are after ``seconds``."""
        end = time.monotonic() + seconds
        while (count := self.open_deliveries()) and time.monotonic() < end:
            self.nudge()
            self.supervise()
            every()
            time.sleep(0.5)
        return count

    def clock_offset(self):
        """The database's clock minus CLOCK_MONOTONIC, in seconds; the best of several readings."""
        best = None
        for _ in range(9):
            before = time.monotonic()
            value = self.sql("SELECT extract(epoch FROM clock_timestamp())")[0][0]
            after = time.monotonic()
            if best is None or after - before < best[0]:
                best = (after - before, float(value) - (before + after) / 2)
        return best[1]

    def ledger(self):
        """Everything that happened at the networks, each row with its network."""
        rows = []
        for name in self.networks:
            for line in (self.home / f"{name}.ledger").read_text().splitlines():
                rows.append({"network": name, **json.loads(line)})
        return rows

    def log(self, name):
        """The last words of a process."""
        return (self.home / f"{name}.log").read_text(errors="replace")[-2000:]


def children(pid):
    """Pids of a process's children."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _signal_group(process, how):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)


def wait_for(condition, seconds, what, words=lambda: ""):
    """Wait until ``condition()``; raises TimeoutError with the last words."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not start: {words()}")
        time.sleep(0.05)
