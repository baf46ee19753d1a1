"""``manage.py load_newsroom``: what Nordwind Energie's newsroom has gathered, after its people."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from curation.models import Source
from curation.nordwind import load


class Command(BaseCommand):
    """Does nothing when there are sources already."""

    help = "Load sources, rights to pictures and hashtags of the fictional company."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load everything or nothing."""
        del args, options
        if Source.objects.exists():
            self.stdout.write("There are sources already; nothing loaded.")
            return
        with transaction.atomic():
            load(now=timezone.now())
