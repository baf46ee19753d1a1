"""``manage.py rotate_keys``: seal everything with the first of TOKEN_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from integrations import rotation


class Command(BaseCommand):
    """Resumable; run it after putting a new key first, then drop the old one."""

    help = "Seal all secrets with the newest key."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate in batches."""
        del args, options
        done = sum(rotation.rotate())
        self.stdout.write(f"{done} secrets sealed anew.")
