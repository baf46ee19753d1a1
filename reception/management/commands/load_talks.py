"""``manage.py load_talks``: Nordwind Energie's speakers and talk requests, after its people."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone, translation

from reception.models import Speaker
from reception.nordwind_talks import load


class Command(BaseCommand):
    """Does nothing when there are speakers already."""

    help = "Load speakers and talk requests of the fictional company."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load everything or nothing."""
        del args, options
        if Speaker.objects.exists():
            self.stdout.write("There are speakers already; nothing loaded.")
            return
        with transaction.atomic(), translation.override("de"):
            load(now=timezone.now())
