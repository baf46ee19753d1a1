"""``manage.py confirm_installation``: say that this installation is the one that publishes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ambassadors import tombstones
from campaigns import restores
from integrations import instance


class Command(BaseCommand):
    """For whoever restores without a browser; the page "This installation" does the same."""

    help = "After a restore or a move: let this installation publish."

    def add_arguments(self, parser: CommandParser) -> None:
        """Nothing is confirmed without ``--yes``."""
        parser.add_argument("--yes", action="store_true", help="No other copy is running.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Confirm, or tell what there is to confirm."""
        del args
        row = instance.the()
        if not row.stopped_at:
            self.stdout.write("This installation publishes; there is nothing to confirm.")
        elif not options["yes"]:
            self.stdout.write(
                f"Stopped ({row.stopped_why}) since {row.stopped_at:%Y-%m-%d %H:%M} UTC."
                " When no other copy runs, repeat this with --yes."
            )
        else:
            try:
                restores.confirm(by=None, now=timezone.now())
            except tombstones.NotReadable as error:
                message = (
                    "The list of erased people beside the database cannot be read, or was written"
                    " with another TOMBSTONES_KEY. Nothing is published before they are gone again."
                )
                raise CommandError(message) from error
            self.stdout.write("This installation publishes again.")
