"""Tests side by side (pytest-xdist): each process has a Redis database of its own.

A plugin and no fixture, for the settings read the address before the first conftest is loaded.
The PostgreSQL databases are told apart by pytest-django.
"""

import os

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["REDIS_URL"] = (
        f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{int(worker.removeprefix('gw')) + 1}"
    )
