"""``manage.py verify_audit``: look whether the record is whole, and as it was written."""

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ambassadors import chain

_HEAD = re.compile(r"[0-9]{1,18}:[0-9a-f]{64}")


class Command(BaseCommand):
    """Ends with an error when anything is amiss, so that a nightly run can call somebody."""

    help = "Look at every entry of the record and at its chain."

    def add_arguments(self, parser: CommandParser) -> None:
        """Heads that were mailed or logged; without one, an end that was cut off is not seen."""
        parser.add_argument(
            "--head", action="append", default=[], help="number:digest from a mail or the log."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, and say what was found."""
        del args
        heads: list[str] = options["head"]
        if bad := [head for head in heads if not _HEAD.fullmatch(head)]:
            message = f"{bad[0]!r} is no head; it looks like 123:9f86d0… with 64 signs."
            raise CommandError(message)
        found = chain.verify(heads)
        self.stdout.write(
            f"{found.entries} entries, {found.seals} seals, {found.waiting} not sealed yet,"
            f" {found.struck} struck for an erasure. Head: {found.head or 'none yet'}"
        )
        for sentence in found.broken[:100]:
            self.stderr.write(sentence)
        if found.broken:
            message = f"The record is not as it was written: {len(found.broken)} findings."
            raise CommandError(message)
