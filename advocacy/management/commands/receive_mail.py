"""``manage.py receive_mail``: the door for mail. Reads one message from standard input.

For a pipe of the mail server; its exit code is the answer (sysexits.h): 0 taken, 65 not readable as
a letter, 67 nobody here has this address, 75 try again later.
"""

import logging
import sys
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from campaigns import issue_mails
from campaigns.wakeups import nudge
from people import bounces
from reception import replies
from reception.tasks import send_letters

log = logging.getLogger(__name__)
_NOT_READABLE, _NOBODY, _LATER = 65, 67, 75
MOST_BYTES = 25_000_000
_MOST_BOUNDARIES = 60  # parts within parts cost the square of their depth to read


class Command(BaseCommand):
    """Hands the message to whoever it is for."""

    help = "Take one mail (RFC 5322) from standard input, for a pipe of the mail server."

    def add_arguments(self, parser: CommandParser) -> None:
        """Mail servers know for whom it was better than the headers."""
        parser.add_argument("recipient", nargs="?", default="", help="The envelope's recipient.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, hand over, answer with an exit code."""
        del args
        raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            self._end(_NOT_READABLE, "The message is larger than 25 MB.")
        if raw.lower().count(b"boundary=") > _MOST_BOUNDARIES:
            self._end(_NOT_READABLE, "The message has too many parts.")
        try:
            message = BytesParser(policy=policy.default).parsebytes(raw)
            if options["recipient"]:
                recipient = " ".join(options["recipient"].split())
                del message["X-Original-To"]
                message["X-Original-To"] = recipient
            taken = self._take(message)
        except replies.NoSuchQuestion:
            self._end(_NOBODY, "This conversation has ended and was deleted.")
        except (replies.TooMuch, RecursionError):
            self._end(_NOT_READABLE, "The message has too many parts.")
        except Exception:  # the mail server keeps it and tries again; nothing is lost
            log.exception("a mail could not be taken")
            self._end(_LATER, "Botschaft cannot take mail at the moment.")
        if not taken:
            self._end(_NOBODY, "Nobody here has this address.")
        nudge(send_letters)

    def _take(self, message: EmailMessage) -> bool:
        now = timezone.now()
        takers = (replies.take, bounces.take, issue_mails.take)
        return any(take(message, now=now) for take in takers)

    def _end(self, code: int, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(code)
