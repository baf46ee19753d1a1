"""A database in which every migration ran once: each test process begins with a copy of it.

Migrating takes half a minute of a processor, copying half a second. Runs of this checkout share
it as long as no migration changes.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

ROOT = Path(__file__).parents[1]


def database(url: str) -> str:
    """The name of the migrated database on the server of ``url``; made where it is missing."""
    name = f"migrated_{_digest()}"
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('migrated'))")
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'migrated%'")
        found = [row[0] for row in cursor.fetchall()]
        if name not in found:
            for old in found:
                cursor.execute(f"DROP DATABASE {old} WITH (FORCE)")
            half = f"migrated_half_{os.getpid()}"
            cursor.execute(f"CREATE DATABASE {half}")
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity=0"],
                cwd=ROOT, check=True,
                env=os.environ | {"DATABASE_URL": urlsplit(url)._replace(path=f"/{half}").geturl()},
            )  # fmt: skip
            cursor.execute(f"ALTER DATABASE {half} RENAME TO {name}")
    connection.close()
    return name


def _digest() -> str:
    """What decides how the database looks: our migrations and the packages with theirs."""
    digest = hashlib.sha256()
    for path in (*sorted(ROOT.glob("*/migrations/*.py")), ROOT / "requirements" / "app.txt"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
