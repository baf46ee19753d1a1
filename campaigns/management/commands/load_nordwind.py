"""``manage.py load_nordwind``: the fictional company, into an empty database."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from ambassadors.models import Person
from campaigns.nordwind.load import load


class Command(BaseCommand):
    """Does nothing when there are people already."""

    help = "Load the fictional company Nordwind Energie."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load everything or nothing."""
        del args, options
        if Person.objects.exists():
            self.stdout.write("There are people already; nothing loaded.")
            return
        with transaction.atomic():
            counts = load(now=timezone.now())
        self.stdout.write(", ".join(f"{n} {name}" for name, n in counts.items()))
