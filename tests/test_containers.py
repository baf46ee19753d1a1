"""The compose file and what its health checks ask, as far as no container engine is needed."""

import importlib.resources
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
import yaml

from advocacy import alive

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.mark.parametrize("name", ["docker-compose.yml", "deploy/logs.yml", "deploy/clamav.yml"])
def test_file_is_one_of_the_compose_specification(name):
    """By its published schema, as the package check-jsonschema brings it."""
    schemas = importlib.resources.files("check_jsonschema.builtin_schemas.vendor")
    schema = json.loads((schemas / "compose-spec.json").read_text())
    jsonschema.validate(yaml.safe_load((ROOT / name).read_text()), schema)


def test_every_secret_that_is_used_is_declared_and_made_or_asked_for(compose):
    used = {one for row in compose["services"].values() for one in row.get("secrets", [])}
    assert used == set(compose["secrets"])
    named = {
        word
        for row in compose["services"].values()
        for word in re.findall(r"/run/secrets/(\w+)", json.dumps(row))
    }
    assert named | {"site_cert", "site_key"} == used  # those two are named by deploy/nginx.conf
    for row in compose["services"].values():
        there = set(re.findall(r"/run/secrets/(\w+)", json.dumps(row)))
        assert there <= set(row.get("secrets", [])), row
    script = (ROOT / "deploy/secrets.sh").read_text()
    made = set(re.findall(r"^keep (\w+)", script, re.M)) | {"inner_ca", "site_cert", "site_key"}
    made |= {f"{n}_{kind}" for n in ("web", "postgres", "redis") for kind in ("cert", "key")}
    assert made == used


def test_each_service_reads_its_own_secrets_alone(compose):
    given = {name: set(row.get("secrets", [])) for name, row in compose["services"].items()}
    assert {n for n, has in given.items() if "postgres_password" in has} == {"migrate", "postgres"}
    assert {n for n, has in given.items() if "token_keys" in has} == {"migrate", "web", "worker"}
    assert {n for n, has in given.items() if "site_key" in has} == {"proxy"}
    assert given["beat"] == {"redis_password", "inner_ca"}
    assert not any(
        re.search("PASSWORD: |requirepass [^%]", json.dumps(row))
        for row in compose["services"].values()
    )


def test_everything_inside_talks_tls_and_looks_at_certificates(compose):
    for name in ("migrate", "web", "worker"):
        env = compose["services"][name]["environment"]
        assert "sslmode=verify-full&sslrootcert=" in env["DATABASE_URL"], name
        assert env["REDIS_URL"].startswith("rediss://redis:6379/0?ssl_ca_certs="), name
        assert "PRACTICE_WALL_URL" not in env  # that of SITE_URL, through the proxy
    assert compose["services"]["beat"]["environment"]["REDIS_URL"].startswith("rediss://")
    redis, postgres = (str(compose["services"][n]["entrypoint"]) for n in ("redis", "postgres"))
    assert ("--port 0 --tls-port 6379" in redis, "-c ssl=on" in postgres) == (True, True)
    assert not re.findall(r"http://(?!127)", json.dumps(compose))


def test_application_logs_in_as_a_role_that_owns_nothing(compose):
    users = {
        name: re.search(r"//(\w+)@postgres", row["environment"]["DATABASE_URL"])[1]
        for name, row in compose["services"].items()
        if "@postgres" in row.get("environment", {}).get("DATABASE_URL", "")
    }
    assert users == {"migrate": "botschaft", "web": "botschaft_app", "worker": "botschaft_app"}
    assert "grant_app --password-file" in compose["services"]["migrate"]["command"]


def test_only_web_worker_and_proxy_have_a_way_out(compose):
    assert compose["networks"]["inside"] == {"internal": True}
    out = {name for name, row in compose["services"].items() if "outward" in row["networks"]}
    assert out == {"web", "worker", "proxy"}
    assert [name for name, row in compose["services"].items() if "ports" in row] == ["proxy"]


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
