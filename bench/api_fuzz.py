"""``python -m bench.api_fuzz schemathesis``: every operation of the API under generated requests.

The fictional company in an own database, the web server as it is shipped, one token with all
scopes, and all checks of schemathesis (requirements/fuzz.txt). What holds things is fuzzed last,
because nothing is to be read afterwards. Exit code 1 when a check failed.
"""

import argparse
import datetime as dt
import subprocess
import sys
import tempfile
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from .stage import ROOT, Stage, stage

CONFIG = ROOT / "bench" / "schemathesis.toml"
HOLDS = "hold_(topic|suggestion|everything)"
DATA = ("load_nordwind", "load_newsroom", "load_people", "load_reception", "load_talks")


def token() -> str:
    """A key with every scope, of somebody with every role that one needs."""
    from ambassadors.models import Person, Role  # noqa: PLC0415
    from integrations import api_tokens  # noqa: PLC0415

    person = Person.objects.filter(role__name="curator").order_by("pk")[0]
    for role in ("hr", "auditor"):
        Role.objects.get_or_create(person=person, name=role)
    person = Person.objects.get(pk=person.pk)
    _row, key = api_tokens.make(
        person=person, kind="personal", name="Fuzz", scopes=list(api_tokens.SCOPES),
        lasts=dt.timedelta(days=1), now=timezone.now(),
    )  # fmt: skip
    return key


def play(made: Stage, tool: str, *, examples: int, seed: int) -> int:
    """Run both parts; returns how many failed."""
    key, failed = token(), 0
    with tempfile.TemporaryDirectory() as place:
        config = Path(place) / "schemathesis.toml"
        head = f'headers = {{ Authorization = "Bearer {key}" }}\n'
        config.write_text(head + CONFIG.read_text(encoding="utf-8"), encoding="utf-8")
        for which in ("--exclude-operation-id-regex", "--include-operation-id-regex"):
            words = [
                tool, "--config-file", str(config), "run",
                f"http://localhost:{made.port}/api/v1/openapi.json", which, HOLDS,
                "--max-examples", str(examples), "--seed", str(seed), "--workers", "2",
                "--continue-on-failure",
            ]  # fmt: skip
            failed += bool(subprocess.run(words, cwd=place, check=False).returncode)
    return failed


def main() -> int:
    """Play; 1 when a check failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_fuzz", description=__doc__)
    parser.add_argument("tool", help="the command schemathesis")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with stage(settings={"DEMO": "1", "API_A_MINUTE": "100000000"}) as made:
        for name in DATA:
            call_command(name, verbosity=0)
        made.start("web")
        return int(bool(play(made, asked.tool, examples=asked.examples, seed=asked.seed)))


if __name__ == "__main__":
    sys.exit(main())
