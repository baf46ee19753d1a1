"""``manage.py write_register``: the register of processing, and the rules of input, into docs/."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import translation

from advocacy import input_rules, register


class Command(BaseCommand):
    """Run it after a table, a period or a figure has changed."""

    help = "Write the register of processing (Art. 30 GDPR) from the code."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write one file for each language."""
        del args, options
        for language, name in register.FILES.items():
            path = settings.BASE_DIR / "docs" / "data-protection" / name
            with translation.override(language):
                path.write_text(register.markdown(), encoding="utf-8")
            self.stdout.write(f"{path.relative_to(settings.BASE_DIR)} written.")
        page = settings.BASE_DIR / "docs" / input_rules.PAGE
        page.write_text(input_rules.written(page.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(f"{page.relative_to(settings.BASE_DIR)} written.")
