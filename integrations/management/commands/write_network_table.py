"""``manage.py write_network_table``: the abilities of all networks into docs/networks.md."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import translation

from integrations import matrix


class Command(BaseCommand):
    """Run it after a network's abilities have changed."""

    help = "Write docs/networks.md from the code."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file in English."""
        del args, options
        path = settings.BASE_DIR / "docs" / "networks.md"
        with translation.override("en"):
            path.write_text(matrix.markdown(), encoding="utf-8")
        self.stdout.write(f"{path.relative_to(settings.BASE_DIR)} written.")
