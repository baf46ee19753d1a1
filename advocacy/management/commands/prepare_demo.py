"""``manage.py prepare_demo``: the tables, the fictional company and the static files."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

COMPANY = ("load_nordwind", "load_newsroom", "load_people", "load_reception", "load_talks")


class Command(BaseCommand):
    """One process for all of it: each would begin by importing everything again."""

    help = "Prepare the database and files of the demonstration; what is there already stays."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, load what is missing, collect."""
        del args, options
        call_command("migrate", interactive=False, stdout=self.stdout)
        for name in COMPANY:
            call_command(name, stdout=self.stdout)
        call_command("collectstatic", interactive=False, stdout=self.stdout)
