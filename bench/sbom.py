"""``python -m bench.sbom``: the list of components (CycloneDX 1.6), from the files that lock them.

Packages of requirements/app.txt with their hashes, scripts and fonts that we ship, and the images
that Dockerfile and docker-compose.yml name. Facts: ECMA-424, CycloneDX 1.6.
"""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VENDOR = re.compile(
    r"^(?P<name>\w+) (?P<version>[\d.]+) \((?P<licence>[\w.-]+),.*`(?P<npm>[\w.-]+)`", re.DOTALL
)
_IMAGE = re.compile(r"(?:image: |PYTHON_IMAGE=docker\.io/library/)([\w./-]+):([\w.-]+)")


def packages(lock: Path) -> list[dict[str, Any]]:
    """What a lock file pins, with the hashes of each file that may be installed."""
    found: list[dict[str, Any]] = []
    for line in lock.read_text().splitlines():
        if pinned := _PINNED.match(line):
            name, version = pinned[1].lower(), pinned[2]
            purl = f"pkg:pypi/{name}@{version}"
            found.append(_component("library", name, version, purl=purl) | {"hashes": []})
        found_hashes = [{"alg": "SHA-256", "content": one} for one in _HASH.findall(line)]
        if found_hashes:
            found[-1]["hashes"] += found_hashes
    return found


def vendored() -> list[dict[str, Any]]:
    """The script that is not ours, as static/vendor/README.md says it, with its own hash."""
    folder = ROOT / "static/vendor"
    told = _VENDOR.match((folder / "README.md").read_text())
    if told is None:
        message = "static/vendor/README.md does not say name, version and licence"
        raise ValueError(message)
    purl = f"pkg:npm/{told['npm']}@{told['version']}"
    script = _component("library", told["npm"], told["version"], purl=purl)
    return [
        script
        | _hashed(folder / "htmx.min.js")
        | {"licenses": [{"license": {"id": told["licence"]}}]}
    ]


def fonts() -> list[dict[str, Any]]:
    """Typefaces under the Open Font License."""
    licence = {"licenses": [{"license": {"id": "OFL-1.1"}}]}
    return [
        _component("file", path.name, "") | _hashed(path) | licence
        for path in sorted((ROOT / "static/fonts").glob("*.woff2"))
    ]


def images() -> list[dict[str, Any]]:
    """What the containers are made of."""
    text = "".join((ROOT / name).read_text() for name in ("Dockerfile", "docker-compose.yml"))
    return [
        _component("container", name, tag, purl=f"pkg:docker/{name}@{tag}")
        for name, tag in sorted(set(_IMAGE.findall(text)))
    ]


def document() -> dict[str, Any]:
    """All of it; the same code gives the same bytes."""
    components = [*packages(ROOT / "requirements/app.txt"), *vendored(), *fonts(), *images()]
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    ours = _component("application", "botschaft", version[1] if version else "")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": components,
    }


def _component(kind: str, name: str, version: str, *, purl: str = "") -> dict[str, Any]:
    made = {"type": kind, "bom-ref": purl or f"{kind}:{name}", "name": name, "version": version}
    return {key: value for key, value in (made | {"purl": purl}).items() if value}


def _hashed(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"hashes": [{"alg": "SHA-256", "content": digest}]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=1) + "\n")
