"""``make audit``: known holes in what we build on, and what a checker of Django says (G26).

Each step ends as *ok*, *found* or *not run*. Without a network no advisory service answers, and
that is said, not passed over: it ends with 3. With 1 when something was found.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys

from bench import sbom

ROOT = sbom.ROOT
TOOLS = ROOT / ".venv/audit/bin"
LOCKS = ("app", "demo", "dev", "docs", "fuzz", "audit")
_VALID = (
    "import sys; from cyclonedx.schema import SchemaVersion as V;"
    "from cyclonedx.validation.json import JsonStrictValidator as J;"
    "sys.exit(str(J(V.V1_6).validate_str(sys.stdin.read()) or '') or 0)"
)
# What `check --deploy` is shown: an installation as docs/for/administrators.md sets it up.
_DEPLOYED = {
    "SITE_URL": "https://botschaft.example", "ALLOWED_HOSTS": "botschaft.example",
    "SECRET_KEY": secrets.token_hex(40), "TOKEN_KEYS": "b25seS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2RlZiE=",
    "DATABASE_URL": "postgresql:///botschaft", "REDIS_URL": "redis://localhost/0",
}  # fmt: skip


def known_holes(lock: str) -> tuple[str, str]:
    """Ask the advisory service about a lock file, package by package."""
    done = subprocess.run(
        [TOOLS / "pip-audit", "--format", "json", "--progress-spinner", "off", "--disable-pip",
         "--require-hashes", "--requirement", ROOT / f"requirements/{lock}.txt"],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    return judged(done.stdout)


def judged(answer: str) -> tuple[str, str]:
    """Read what pip-audit says. A package that it skipped was not asked about."""
    try:
        rows = json.loads(answer)["dependencies"]
    except (ValueError, KeyError):
        return "not run", "no advisory service answers"
    holes = [
        f"{row['name']} {row['version']}: {', '.join(one['id'] for one in row['vulns'])}"
        for row in rows
        if row.get("vulns")
    ]
    skipped = sum("skip_reason" in row for row in rows)
    if holes:
        return "found", "; ".join(holes)
    if skipped:
        return "not run", f"{skipped} of {len(rows)} packages are unknown to the service"
    return "ok", f"{len(rows)} packages"


def known_npm_holes() -> tuple[str, str]:
    """Ask about the packages of the client that bench/api_client.py compiles; no user has them."""
    if not shutil.which("npm"):
        return "not run", "npm is not here"
    done = subprocess.run(
        ["npm", "audit", "--package-lock-only", "--json"],
        cwd=ROOT / "bench/client", capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return judged_npm(done.stdout)


def judged_npm(answer: str) -> tuple[str, str]:
    """Read what npm says; without the registry's answer there is no count."""
    try:
        found = json.loads(answer)["metadata"]["vulnerabilities"]["total"]
    except (ValueError, KeyError, TypeError):
        return "not run", "no advisory service answers"
    return ("found", f"{found} holes: npm audit") if found else ("ok", "bench/client")


def components() -> tuple[str, str]:
    """Write var/sbom.json, and hold it against the standard's schema."""
    text = json.dumps(sbom.document(), indent=1)
    path = ROOT / "var/sbom.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    done = subprocess.run(
        [TOOLS / "python", "-c", _VALID], input=text, capture_output=True, text=True, check=False
    )
    count = f"{len(sbom.document()['components'])} components in var/sbom.json"
    return ("found", done.stderr[-500:]) if done.returncode else ("ok", count)


def deployed() -> tuple[str, str]:
    """Django's own look at the settings of an installation."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env={"PATH": os.environ["PATH"], **_DEPLOYED}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = (done.stdout + done.stderr).strip().splitlines()
    return ("found" if done.returncode else "ok"), said[-1] if said else ""


def main() -> int:
    """Every step, a line each."""
    steps = {f"known holes, requirements/{lock}.txt": known_holes(lock) for lock in LOCKS}
    steps["known holes, bench/client"] = known_npm_holes()
    steps |= {"list of components": components(), "manage.py check --deploy": deployed()}
    for name, (ended, about) in steps.items():
        print(f"{ended:8} {name}: {about}")
    print("bandit's rules are the linter's S rules, all of them on: make lint")
    ends = {ended for ended, _about in steps.values()}
    return 1 if "found" in ends else 3 if "not run" in ends else 0


if __name__ == "__main__":
    sys.exit(main())
