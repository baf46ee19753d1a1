"""Write somebody's data to a file, for those who left without naming an address."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from advocacy import takeout
from ambassadors import audit
from ambassadors.models import Person, normalise_email


class Command(BaseCommand):
    """The same ZIP that a person takes under *My data*; the record notes it."""

    help = "Write a person's data to a ZIP file, because they asked in writing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and where to."""
        parser.add_argument("address")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it. Raises CommandError for an unknown address and a file that is there."""
        del args
        now = timezone.now()
        address = normalise_email(options["address"])
        person = Person.objects.filter(email_normalised=address).first()
        if person is None:
            message = "Nobody here has this address."
            raise CommandError(message)
        try:
            options["file"].touch(mode=0o600, exist_ok=False)
            with options["file"].open("wb") as to:
                takeout.write(person=person, to=to, now=now)
        except OSError as error:
            message = f"{options['file']}: {error.strerror}"
            raise CommandError(message) from error
        audit.record("takeout.exported", person, by=None, now=now)
        self.stdout.write(f"Written to {options['file']}. Give it to this person only.")
