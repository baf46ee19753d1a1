"""What we build on: the list of components, who looks for holes in it, and reasons in exceptions (G26)."""

import ast
import fnmatch
import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from bench import audit, sbom

ROOT = Path(__file__).parents[1]
ROOMS = ("advocacy", "ambassadors", "campaigns", "curation", "integrations", "people", "reception")


def test_list_of_components_is_that_of_the_lock_file():
    rows = sbom.packages(ROOT / "requirements/app.txt")
    pinned = re.findall(
        r"^([a-z0-9._-]+)(?:\[.*\])?==(\S+)", (ROOT / "requirements/app.txt").read_text(), re.M
    )
    assert [(row["name"], row["version"]) for row in rows] == pinned
    assert all(row["hashes"] for row in rows)
    assert len({row["bom-ref"] for row in sbom.document()["components"]}) == len(
        sbom.document()["components"]
    )


def test_scripts_of_others_are_listed_and_are_what_they_say():
    scripts = {path.name for path in (ROOT / "static/vendor").glob("*.js")}
    [row] = sbom.vendored()
    digest = hashlib.sha256((ROOT / "static/vendor/htmx.min.js").read_bytes()).hexdigest()
    assert (scripts, row["hashes"][0]["content"]) == ({"htmx.min.js"}, digest)
    assert digest in (ROOT / "static/vendor/README.md").read_text()
    assert f'version:"{row["version"]}"' in (ROOT / "static/vendor/htmx.min.js").read_text()


def test_images_are_listed():
    names = {row["name"] for row in sbom.images()}
    assert names == {"python", "nginx", "postgres", "redis"}


def test_least_version_of_every_image_is_told():
    told = (ROOT / "docs/security.md").read_text()
    assert [
        row for row in sbom.images() if f"\n| `{row['name']}:{row['version']}` | " not in told
    ] == []


@pytest.mark.parametrize(("answer", "ended"), [
    ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "ok"),
    ('{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}]}', "found"),
    ('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', "not run"),
    ("", "not run"),
])  # fmt: skip
def test_package_that_nobody_was_asked_about_is_not_called_sound(answer, ended):
    assert audit.judged(answer)[0] == ended


def test_every_lock_file_is_looked_at():
    assert {path.stem for path in (ROOT / "requirements").glob("*.txt")} == set(audit.LOCKS)


def test_check_of_an_installation_finds_nothing():
    assert audit.deployed() == ("ok", "System check identified no issues (2 silenced).")


def test_every_exception_from_a_security_rule_says_why():
    """bandit's rules are the linter's S rules; pyproject.toml leaves one out, with its reason."""
    without = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"# noqa: [^-]*\bS\d{3}", line) and not re.search(r"noqa: [^-]+ - \w", line)
    ]
    assert without == []


def test_npm_packages_reach_no_installation_and_are_looked_at():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    named = {str(Path(one).parent) for one in tracked if Path(one).name == "package.json"}
    assert named <= {"bench/client"}  # .dockerignore leaves bench out


@pytest.mark.parametrize(("answer", "ended"), [
    ('{"metadata": {"vulnerabilities": {"total": 0}}}', "ok"),
    ('{"metadata": {"vulnerabilities": {"total": 2}}}', "found"),
    ('{"message": "405 Method Not Allowed"}', "not run"), ("", "not run"),
])  # fmt: skip
def test_silent_npm_registry_is_not_called_sound(answer, ended):
    assert audit.judged_npm(answer)[0] == ended


def test_scripts_copy_no_foreign_keys_into_objects():
    """Prototype pollution needs a key of somebody else's (15.3.6): nothing is merged."""
    found = [
        f"{path.name}: {line.strip()[:80]}"
        for path in (ROOT / "static/js").glob("*.js")
        for line in path.read_text().splitlines()
        if re.search(
            r"__proto__|Object\.assign\((?!\{\}|document\.createElement\()|\.prototype\b|Object\.setPrototypeOf",
            line,
        )
    ]
    assert found == []


def test_demonstration_is_not_in_the_image_and_nothing_there_needs_it():
    """As .dockerignore reads it: a star stays within a folder, a folder takes all below it (15.2.3)."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]
    left_out = [line.split("/") for line in lines if line]

    def outside(path):
        parts = path.relative_to(ROOT).parts
        return any(
            len(parts) >= len(rule) and all(map(fnmatch.fnmatchcase, parts, rule))
            for rule in left_out
        )

    code = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    gone = {str(p.relative_to(ROOT).with_suffix("")).replace("/", ".") for p in code if outside(p)}
    assert {
        "campaigns.nordwind.load",
        "people.nordwind",
        "advocacy.demo",
        "advocacy.embedded",
    } <= gone
    for path in code:
        if outside(path):
            continue
        package = ".".join(path.relative_to(ROOT).parts[:-1])
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = (
                    package.split(".")[: len(package.split(".")) - node.level + 1]
                    if node.level
                    else []
                )
                origin = ".".join([*base, node.module or ""]).strip(".")
                names = [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
            assert not gone & set(names), path
