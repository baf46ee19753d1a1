"""Let a person's company login be linked anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ambassadors import company_logins
from ambassadors.models import Person, normalise_email


class Command(BaseCommand):
    """Forgets which accounts at the identity provider are a person's; the next login links."""

    help = "Forget a person's company login, after a change of provider or of an address's owner."

    def add_arguments(self, parser: CommandParser) -> None:
        """The person's address here."""
        parser.add_argument("address")

    def handle(self, *args: Any, **options: Any) -> None:
        """Separate them. Raises CommandError for an unknown address."""
        del args
        address = normalise_email(options["address"])
        person = Person.objects.filter(email_normalised=address).first()
        if person is None:
            message = "Nobody here has this address."
            raise CommandError(message)
        gone = company_logins.separate(person=person, by=None, now=timezone.now())
        self.stdout.write(f"{gone} company login(s) forgotten; the next one links anew.")
