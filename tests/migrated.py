"""A database in which every migration ran once: each test process begins with a copy of it.

Migrating takes half a minute of a processor, copying half a second. Runs of this checkout share
it as long as no migration changes; where some were only added, they run on a copy of the last one.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

ROOT = Path(__file__).parents[1]
_KNOWN = """
SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database
 WHERE datname LIKE 'migrated%'
"""


def database(url: str) -> str:
    """The name of the migrated database on the server of ``url``; made where it is missing."""
    files = _files()
    name = f"migrated_{hashlib.sha256(json.dumps(files).encode()).hexdigest()[:12]}"
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('migrated'))")
        cursor.execute(_KNOWN)
        found = {known: json.loads(made or "{}") for known, made in cursor.fetchall()}
        if name not in found:
            begun = [old for old, made in found.items() if made and made.items() <= files.items()]
            half = f"migrated_half_{os.getpid()}"
            cursor.execute(f"CREATE DATABASE {half} TEMPLATE {begun[0] if begun else 'template1'}")
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity=0"],
                cwd=ROOT, check=True,
                env=os.environ | {"DATABASE_URL": urlsplit(url)._replace(path=f"/{half}").geturl()},
            )  # fmt: skip
            cursor.execute(f"COMMENT ON DATABASE {half} IS %s", [json.dumps(files)])
            cursor.execute(f"ALTER DATABASE {half} RENAME TO {name}")
            for old in found:
                cursor.execute(f"DROP DATABASE {old} WITH (FORCE)")
    connection.close()
    return name


def _files() -> dict[str, str]:
    """What decides how the database looks: our migrations and the packages with theirs."""
    paths = (*sorted(ROOT.glob("*/migrations/0*.py")), ROOT / "requirements" / "app.txt")
    return {
        str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in paths
    }
