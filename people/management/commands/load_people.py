"""``manage.py load_people``: what HR keeps at Nordwind Energie, after its people."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from people import nordwind_directory
from people.models import Course
from people.nordwind import load


class Command(BaseCommand):
    """Does nothing when there are courses already."""

    help = "Load courses and more of HR's rooms of the fictional company."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load everything or nothing."""
        del args, options
        if Course.objects.exists():
            self.stdout.write("There are courses already; nothing loaded.")
            return
        with transaction.atomic():
            load(now=timezone.now())
            nordwind_directory.load(now=timezone.now())
