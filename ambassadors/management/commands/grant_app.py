"""``manage.py grant_app``: what the application's own login in PostgreSQL may do."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ambassadors import rights


class Command(BaseCommand):
    """Run it as the owner of the tables, after every ``migrate``; a second run changes nothing."""

    help = "Give a role of PostgreSQL what the application needs, and no more."

    def add_arguments(self, parser: CommandParser) -> None:
        """Without a password file the role must exist: ``CREATE ROLE … LOGIN PASSWORD '…'``."""
        parser.add_argument("--role", default="botschaft_app")
        parser.add_argument("--password-file", type=Path, help="make the role, or set its password")

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant it."""
        del args
        if path := options["password_file"]:
            rights.let_in(options["role"], path.read_text(encoding="utf-8").strip())
        rights.grant(options["role"])
        self.stdout.write(f"{options['role']} may work, and only add to the record.")
