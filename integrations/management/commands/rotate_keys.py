"""``manage.py rotate_keys``: seal all tokens with the first of TOKEN_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from integrations import tokens


class Command(BaseCommand):
    """Resumable; run it after putting a new key first, then drop the old one."""

    help = "Seal all tokens with the newest key."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate in batches."""
        del args, options
        done = sum(tokens.rotate())
        self.stdout.write(f"{done} tokens sealed anew.")
