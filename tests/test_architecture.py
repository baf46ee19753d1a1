"""Facts about the repository: the floors, the owners, the policies."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from django.urls import get_resolver

from advocacy.policies import POLICIES, policy_for

ROOT = Path(__file__).parents[1]
# The rooms of a floor do not know each other.
FLOORS = [
    {"ambassadors"}, {"integrations"}, {"campaigns"}, {"curation", "people", "reception"}, {"advocacy"},
]  # fmt: skip
LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}
CODE = [path for room in sorted(LEVEL) for path in (ROOT / room).rglob("*.py")]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_imports_go_down():
    wrong = []
    for path in CODE:
        room = path.relative_to(ROOT).parts[0]
        for name in imports(path):
            top = name.split(".")[0]
            if top in LEVEL and top != room and LEVEL[top] >= LEVEL[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def asked(path, known):
    """The modules of ours that a module imports, for types as well."""
    package = [*path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            begin = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                found = {f"{begin}.{alias.name}", begin} & known
                yield from sorted(found, key=len)[-1:]


def test_imports_make_no_circle():
    paths = {module(path): path for path in CODE}
    left = {name: {*asked(path, paths.keys())} - {name} for name, path in paths.items()}
    # Django asks the model of sessions for the store that needs the model.
    left["ambassadors.models.session"].discard("ambassadors.login_sessions")
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    assert sorted(left) == []


def test_networks_know_no_django():
    files = [
        *(ROOT / "integrations/networks").glob("*.py"),
        ROOT / "integrations/wire.py",
        ROOT / "integrations/addresses.py",
    ]
    assert [
        (path.name, name) for path in files for name in imports(path) if name.startswith("django")
    ] == []


def test_normal_forms_of_text_are_made_in_one_place_which_bounds_their_time():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in CODE
        if "unicodedata.normalize(" in path.read_text() and "migrations" not in path.parts
    }
    assert found == {"ambassadors/tidying.py"}


def test_only_states_writes_a_state():
    wrong = []
    for path in CODE:
        if path.name == "states.py" or "nordwind" in path.parts or "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "update"
            ):
                wrong += [str(path) for keyword in node.keywords if keyword.arg == "state"]
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                wrong += [
                    str(path) for t in targets if isinstance(t, ast.Attribute) and t.attr == "state"
                ]
    assert wrong == []


def test_verbs_read_no_clock():
    verbs = [
        p
        for room in sorted(LEVEL.keys() - {"advocacy"})
        for p in (ROOT / room).glob("*.py")
        if p.name not in {"tasks.py", "apps.py"}
    ]
    assert [
        p.name
        for p in verbs
        if re.search(r"timezone\.now|datetime\.now|date\.today", p.read_text())
    ] == []


def names(resolver):
    for entry in resolver.url_patterns:
        if hasattr(entry, "url_patterns"):
            yield from names(entry)
        else:
            yield entry.name or ""


def test_every_url_has_a_policy():
    # allauth has four redirects without a name; without a name they open for nobody
    assert [name for name in names(get_resolver()) if name and policy_for(name) is None] == []
    assert policy_for("") is None


def test_every_policy_has_a_url():
    assert set(POLICIES) - set(names(get_resolver())) == set()


def test_templates_have_no_inline_script_or_style():
    wrong = []
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        if path.match("mail/base.html"):  # a mail can link to no sheet; its one block stands here
            text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
        if re.search(
            r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:|\|safe\b", text
        ):
            wrong.append(path.name)
    assert wrong == []


def test_templates_name_no_foreign_host():
    found = {
        path.name: re.findall(r'(?:src|href)="https?://[^"]+', path.read_text())
        for path in (ROOT / "templates").rglob("*.html")
    }
    assert {name: hosts for name, hosts in found.items() if hosts} == {}


def test_every_template_is_used():
    texts = "".join(p.read_text() for p in [*CODE, *(ROOT / "templates").rglob("*.html")])
    own = [p.relative_to(ROOT / "templates") for p in (ROOT / "templates").rglob("*.html")]
    assert [
        str(p)
        for p in own
        if p.parts[0] not in {"account", "allauth", "mfa", "socialaccount"} and str(p) not in texts
    ] == []


def test_every_icon_exists():
    sprite = (ROOT / "templates/parts/sprite.html").read_text()
    used = {
        name
        for p in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([a-z]+)"', p.read_text())
    }
    used |= set(
        re.findall(r'\("[a-z]+", "([a-z]+)", _\(', (ROOT / "advocacy/context.py").read_text())
    )
    assert {name for name in used if f'id="i-{name}"' not in sprite} == set()


def test_top_level_is_as_promised():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    allowed = {
        "manage.py", "advocacy", "curation", "people", "reception", "campaigns", "ambassadors", "integrations", "templates", "static", "tests",
        "pyproject.toml", "docker-compose.yml", "README.md", "deploy", "docs", "locale", "bench", "Makefile", "Dockerfile",
        ".ci", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "requirements", ".gitignore", ".dockerignore",
    }  # fmt: skip
    assert {name.split("/")[0] for name in tracked} - allowed == set()


def test_lock_files_name_no_host():
    found = [
        line
        for path in (ROOT / "requirements").glob("*.txt")
        for line in path.read_text().splitlines()
        if "://" in line or "index-url" in line
    ]
    assert found == []
