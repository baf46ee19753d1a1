"""The compose file and what its health checks ask, as far as no container engine is needed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from advocacy import alive

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_every_process_of_ours_is_read_only_limited_and_unprivileged(compose):
    ours = {name: row for name, row in compose["services"].items() if "build" in row}
    assert set(ours) == {"migrate", "web", "worker", "beat"}
    for name, row in ours.items():
        assert (row["read_only"], row["cap_drop"]) == (True, ["ALL"]), name
        assert row["security_opt"] == ["no-new-privileges:true"], name
        assert row["tmpfs"] == ["/tmp"], name
        assert row["volumes"] == ["var:/app/var"], name


def test_everything_that_stays_has_a_health_check_and_a_limit(compose):
    for name, row in compose["services"].items():
        if name == "migrate":
            continue
        assert "healthcheck" in row, name
        assert row["restart"] == "unless-stopped", name
        assert "mem_limit" in row or name == "postgres", name


def test_health_checks_ask_for_parts_that_exist(compose):
    asked = {
        row["healthcheck"]["test"][-1]
        for row in compose["services"].values()
        if "advocacy.alive" in row.get("healthcheck", {}).get("test", [])
    }
    assert asked == set(alive.PARTS)


def test_nothing_starts_before_what_it_needs_is_healthy(compose):
    for name in ("web", "worker", "beat"):
        assert compose["services"][name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "redis": {"condition": "service_healthy"},
        }


def test_image_runs_as_nobody_special_and_owns_no_code():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 10001" in lines
    assert not any("--chown" in line for line in lines)


@pytest.mark.parametrize(("part", "age", "code"), [
    ("worker", 5, 0), ("worker", 90, 1), ("worker", None, 1),
    ("beat", 200, 0), ("beat", 900, 1), ("beat", None, 1),
])  # fmt: skip
def test_health_of_a_process_is_the_age_of_what_it_writes(tmp_path, part, age, code):
    path = tmp_path / ("alive" if part == "worker" else "beat.db")
    if age is not None:
        path.touch()
        os.utime(path, (time.time() - age, time.time() - age))
    env = {"WORKER_ALIVE": str(tmp_path / "alive"), "BEAT_SCHEDULE": str(tmp_path / "beat")}
    asked = [sys.executable, "-m", "advocacy.alive", part]
    assert subprocess.run(asked, cwd=ROOT, env=env, check=False).returncode == code


@pytest.mark.django_db(transaction=True)
def test_health_of_the_web_asks_the_page_by_its_own_name(live_server, settings, monkeypatch):
    settings.ALLOWED_HOSTS = ["hallo.example"]
    monkeypatch.setenv("SITE_URL", "https://hallo.example")
    monkeypatch.setenv("PORT", str(live_server.thread.port))
    assert alive.web()
    monkeypatch.setenv("SITE_URL", "https://other.example")
    assert not alive.web()
    monkeypatch.setenv("PORT", "1")
    assert not alive.web()
