"""``manage.py load_reception``: who answers strangers at Nordwind Energie, after its people."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from reception.models import ContactCard
from reception.nordwind import load


class Command(BaseCommand):
    """Does nothing when there are cards already."""

    help = "Load contact cards and questions of the fictional company."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load everything or nothing."""
        del args, options
        if ContactCard.objects.exists():
            self.stdout.write("There are cards already; nothing loaded.")
            return
        with transaction.atomic():
            load(now=timezone.now())
