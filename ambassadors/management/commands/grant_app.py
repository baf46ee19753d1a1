"""``manage.py grant_app``: what the application's own login in PostgreSQL may do."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ambassadors import rights


class Command(BaseCommand):
    """Run it as the owner of the tables, after every ``migrate``; a second run changes nothing."""

    help = "Give a role of PostgreSQL what the application needs, and no more."

    def add_arguments(self, parser: CommandParser) -> None:
        """The role must exist: ``CREATE ROLE botschaft_app LOGIN PASSWORD '…'``."""
        parser.add_argument("--role", default="botschaft_app")

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant it."""
        del args
        rights.grant(options["role"])
        self.stdout.write(f"{options['role']} may work, and only add to the record.")
