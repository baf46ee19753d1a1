"""``python -m bench.goals [NAME …]``: the load goals of SECURITY.md, one line each.

Exit code 1 when one is violated. Without names all run, each in a process of its own.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass, field

from .result import Result
from .stage import ROOT, Missed, stage


@dataclass(frozen=True, slots=True)
class Goal:
    """What a scenario stands on, and its usual size (posts, stops or seconds)."""

    size: int
    networks: tuple[str, ...] = ("mastodon",)
    settings: dict[str, str] = field(default_factory=dict)
    freezable: bool = False


_HOUR_IN_A_MINUTE = {"DEBUG_FAILPOINTS": "1", "TIME_SCALE": str(1 / 60)}
GOALS = {
    "hold": Goal(500, settings={"DEBUG_FAILPOINTS": "1", "FAILPOINTS": "in_start=pause:0.01"}),
    "restore": Goal(100, networks=("mastodon", "bluesky")),
    "outage": Goal(240, networks=("mastodon", "mastodon"), settings=_HOUR_IN_A_MINUTE),
    "drain": Goal(5000),
    "punctual": Goal(1000),
    "fair": Goal(1000),
    "standstill": Goal(60, freezable=True),
}


def run(name: str, size: int) -> list[Result]:
    """Play one scenario in this process."""
    goal = GOALS[name]
    with stage(*goal.networks, freezable=goal.freezable, **goal.settings) as made:
        from . import drain, punctual, scenarios  # noqa: PLC0415 - they need the stage's Django

        match name:
            case "drain":
                return drain.measure(made, size=size, pairs=1)
            case "punctual":
                return punctual.measure(made, count=size)
            case _:
                found: list[Result] = getattr(scenarios, name)(made, size=size)
                return found


def main() -> int:
    """Play what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.goals", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(GOALS))
    parser.add_argument("--size", type=int, help="posts, stops or seconds; for one NAME")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(GOALS):
        parser.error(f"no such goal: {', '.join(sorted(unknown))}")
    if len(asked.names) != 1:
        command = [sys.executable, "-m", "bench.goals"]
        codes = [
            subprocess.run([*command, name], cwd=ROOT, check=False).returncode
            for name in asked.names or GOALS
        ]
        return int(any(codes))
    (name,) = asked.names
    try:
        results = run(name, asked.size or GOALS[name].size)
    except Missed as error:
        results = [Result(name, str(error), kept=False)]
    for result in results:
        print(result.line(), flush=True)
    return int(any(result.kept is False for result in results))


if __name__ == "__main__":
    sys.exit(main())
