"""``python -m bench.api_client``: a client of another language, made from the API's description.

openapi-typescript writes the types, the compiler reads them strictly, and the program in
``bench/client`` walks: pages, a draft written once, a change too late, a refusal, a hold. Needs
Node.js; exit code 1 when a step fails.
"""

import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from django.core.management import call_command

from .api_fuzz import DATA, token
from .stage import ROOT, stage

CLIENT = ROOT / "bench" / "client"


def main() -> int:
    """Make, compile and run it."""
    with (
        tempfile.TemporaryDirectory() as place,
        stage(settings={"DEMO": "1", "API_A_MINUTE": "1000"}) as made,
    ):
        shutil.copytree(CLIENT, place, dirs_exist_ok=True)
        for name in DATA:
            call_command(name, verbosity=0)
        made.start("web")
        address = f"http://localhost:{made.port}/api/v1"
        with urllib.request.urlopen(f"{address}/openapi.json", timeout=30) as answer:
            (Path(place) / "openapi.json").write_bytes(answer.read())
        steps = (
            ["npm", "ci", "--no-audit", "--no-fund"],
            ["npm", "run", "types"],
            ["npm", "run", "build"],
            ["node", "out/walk.js", address, token()],
        )
        return int(any(subprocess.run(step, cwd=place, check=False).returncode for step in steps))


if __name__ == "__main__":
    sys.exit(main())
