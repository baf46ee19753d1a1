"""``python -m tests.chaos.mutants``: eight planted bugs, each of which a test must see (G3).

A mutant is a few replacements in a copy of the tree. What must catch it runs there: an existing
test, the token race, or a small storm. Ends with 1 when a mutant survives. A text that is not
found is an error: then the code has moved on and the mutant must follow.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from advocacy import embedded

from .fleet import ROOT

PYTEST = ("-m", "advocacy.withservices", sys.executable, "-m", "pytest", "-q", "-x")
STORM = (
    "-m", "tests.chaos.chaos", "--holds", "0", "--processes", "2", "--children", "2", "--accounts",
    "10", "--hasty", "0", "--tail", "60", "--spread", "10",
)  # fmt: skip


def violated(*checks):
    """How the checker's table names one of these."""
    return "|".join(rf"^  {check} +\d+  VIOLATED" for check in checks)


@dataclass(frozen=True)
class Mutant:
    """A bug: what it is, its replacements (file, old, new), what must see it, and the pattern of
    the words that say so. A run that fails for another reason has not seen the bug.
    """

    name: str
    edits: tuple
    command: tuple
    words: str


MUTANTS = (
    Mutant(
        "no lock: a start passes beside a hold",
        (("campaigns/starts.py", "now = barrier.enter()", "now = pace.clock()"),),
        (*PYTEST, "tests/test_publishing.py", "-k", "test_hold_stops_every_first_byte"),
        r"^E +assert [1-9]\d* == 0",
    ),
    Mutant(
        "no gate: a late start sends nevertheless",
        (("campaigns/deliveries.py", "time.monotonic() - began >= pace.GATE_SECONDS", "time.monotonic() < began"),),
        (*PYTEST, "tests/test_publishing.py", "-k", "test_paused_worker_does_not_send"),
        r"^E +.*\('sent', 1\) == \('queued', 0\)",
    ),
    Mutant(
        "an open answer is tried again like a proven one",
        (
            ("campaigns/deliveries.py", "    match result:\n        case Sent(remote_id=remote_id", "    if isinstance(result, Unknown):\n        result = Later(result.why, wait=1.0)\n    match result:\n        case Sent(remote_id=remote_id"),
        ),
        (*STORM, "--networks", "linkedin", "--count", "80", "--faults", "0.4"),
        violated("doubled on linkedin", "sent again unasked"),
    ),
    Mutant(
        "no fence: whoever wakes up late changes the row",
        (
            ("campaigns/states.py", "    if not any_fence:\n        rows = rows.filter(fence=delivery.fence)\n", ""),
        ),
        (*STORM, "--networks", "mastodon,bluesky", "--count", "200", "--faults", "0", "--failpoints", "after_claim=pause:7.5:0.25"),
        violated("change under old fence"),
    ),
    Mutant(
        "a new key for each try",
        (
            ("campaigns/outgoings.py", "key=str(delivery.key),", "key=f'{delivery.key}-{delivery.tries}',"),
            ("campaigns/outgoings.py", "rkey=delivery.rkey,", "rkey=f'{delivery.rkey[:12]}{delivery.tries + 2}',"),
        ),
        (*STORM, "--networks", "mastodon,bluesky", "--count", "80", "--faults", "0.4"),
        violated("doubled on mastodon", "doubled on bluesky"),
    ),
    Mutant(
        "a token is refreshed without its lock",
        (("integrations/tokens.py", "ConnectedAccount.objects.select_for_update(no_key=True).get", "ConnectedAccount.objects.get"),),
        ("-m", "tests.chaos.refresh"),
        r", [1-9]\d* replays",
    ),
    Mutant(
        "the lease ends before a send may",
        (("campaigns/pace.py", "LEASE = span(60)", "LEASE = span(10)"),),
        (*STORM, "--networks", "mastodon,bluesky", "--count", "60", "--faults", "0", "--failpoints", "", "--latency", "2.2"),
        violated("unknown without cause"),
    ),
    Mutant(
        "sent without the id, in code and constraint",
        (
            ("campaigns/deliveries.py", "            remote_id=remote_id,\n            remote_url=url,", "            remote_id='',\n            remote_url=url,"),
            ("campaigns/models/delivery.py", 'condition=(Q(state="sent") & ~Q(remote_id=""))', 'condition=Q(state="sent")'),
            ("campaigns/migrations/0001_initial.py", "('state', 'sent'), models.Q(('remote_id', ''), _negated=True)", "('state', 'sent')"),
        ),
        (*STORM, "--networks", "mastodon,bluesky", "--count", "40", "--faults", "0", "--failpoints", ""),
        violated("wrong id"),
    ),
)  # fmt: skip


def plant(mutant, tree):
    """Make a copy of the tree with the bug in it."""
    shutil.rmtree(tree, ignore_errors=True)
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, names.split("\0")):
        source = ROOT / name
        if source.is_file() and not source.is_symlink():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, tree / name)
    for name, old, new in mutant.edits:
        text = (tree / name).read_text()
        if text.count(old) != 1:
            sys.exit(f"{mutant.name}: {name} has this text {text.count(old)} times: {old!r}")
        (tree / name).write_text(text.replace(old, new))


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--only", default="", help="a part of the name")
    words.add_argument("--check", action="store_true", help="only plant, to see that it applies")
    words.add_argument("--words", action="store_true", help="show what the runs said")
    asked = words.parse_args()
    survived, table = [], []
    with tempfile.TemporaryDirectory(prefix="botschaft-mutant-", dir="/var/tmp") as place:
        tree = Path(place) / "tree"
        for mutant in MUTANTS:
            if asked.only not in mutant.name:
                continue
            plant(mutant, tree)
            if asked.check:
                continue
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, *mutant.command],
                cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            caught = done.returncode and re.search(mutant.words, done.stdout, re.MULTILINE)
            if asked.words or not caught:
                print(done.stdout[-6000:])
            by = "test" if "pytest" in mutant.command else mutant.command[1]
            table.append(
                f"{'caught' if caught else 'SURVIVED':9} {time.monotonic() - began:4.0f} s  "
                f"{mutant.name}  ({by})"
            )
            print(table[-1], flush=True)
            survived += [] if caught else [mutant.name]
        home = embedded.home_for(tree)
        shutil.rmtree(home.with_name(f"{home.name}-test"), ignore_errors=True)
    print("\n" + "\n".join(table))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
