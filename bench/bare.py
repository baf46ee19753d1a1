"""``python -m bench.bare DATABASE_URL BASE_URL THREADS COUNT``: the limit of a drain.

The least that "never lost" costs, without any of the contract: for each post one commit, the same
request to the same pretended Mastodon through the same client, one commit.
"""

import itertools
import json
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg2

from integrations.wire import call

TABLE = "bench_limit"


def send(database_url: str, base_url: str, numbers: "itertools.count[int]", count: int) -> None:
    """Send until the common count is reached."""
    link = psycopg2.connect(database_url)
    text = " ".join(["A sentence of the usual length about work."] * 5)
    while (number := next(numbers)) < count:
        with link, link.cursor() as cursor:
            cursor.execute(f"INSERT INTO {TABLE} (state) VALUES ('sending') RETURNING id")
            (row,) = cursor.fetchone()
        answer = call(
            "POST",
            f"{base_url}/api/v1/statuses",
            headers={
                "Authorization": f"Bearer token-bare{number}-limit",
                "Idempotency-Key": str(uuid.uuid4()),
                "Content-Type": "application/json",
            },
            body=json.dumps({"status": text, "visibility": "public", "language": "en"}).encode(),
            seconds=30,
        )
        with link, link.cursor() as cursor:
            cursor.execute(
                f"UPDATE {TABLE} SET state = 'sent', remote_id = %s WHERE id = %s",
                [answer.json()["id"], row],
            )
    link.close()


def main(database_url: str, base_url: str, threads: str, count: str) -> None:
    """Send ``count`` posts from ``threads`` threads."""
    numbers = itertools.count()
    with ThreadPoolExecutor(int(threads)) as pool:
        for done in [
            pool.submit(send, database_url, base_url, numbers, int(count))
            for _ in range(int(threads))
        ]:
            done.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
