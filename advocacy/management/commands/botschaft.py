"""``manage.py botschaft …``: what an administrator does without a browser."""

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils import timezone

from advocacy import backups, doctor
from ambassadors import logins, memberships, roles
from ambassadors.models import Person, Role, normalise_email
from campaigns import holds, leaving
from campaigns.models import Programme
from integrations import rotation

_LONGEST_NAME = 150  # characters


class Command(BaseCommand):
    """Each part calls the verb that the pages call: the same guards, the same record."""

    help = "People, roles, the hold of everything, keys, and what is wrong with an installation."

    def add_arguments(self, parser: CommandParser) -> None:
        """A word for the part, then what it needs."""
        parts = parser.add_subparsers(dest="part", required=True, parser_class=CommandParser)
        parts.add_parser("doctor", help="What is wrong, each in a sentence; 1 when it is grave.")
        parts.add_parser("rotate-keys", help="Seal all secrets with the first of TOKEN_KEYS.")
        for name, words in (
            ("backup", "Write database and files into one tar; - is the standard output."),
            ("restore", "Read one into an empty database; - is the standard input."),
        ):
            parts.add_parser(name, help=words).add_argument("file")
        person = parts.add_parser(
            "person", help="Add somebody, let them leave at once, or end their logins."
        )
        person.add_argument("act", choices=["add", "leave", "log-out"])
        person.add_argument("address")
        person.add_argument("name", nargs="?", default="")
        role = parts.add_parser("role", help="Give a role, or take it.")
        role.add_argument("act", choices=["give", "take"])
        role.add_argument("address")
        role.add_argument("role", choices=Role.Name.values)
        for name, words in (
            ("hold", "Stop everything; answers when nothing can leave any more."),
            ("release", "Let everything go on."),
        ):
            part = parts.add_parser(name, help=words)
            part.add_argument("--by", required=True, help="Who says so: a curator's address.")
            if name == "hold":
                part.add_argument("reason")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the part that was asked for."""
        del args
        getattr(self, f"_{options['part'].replace('-', '_')}")(options)

    def _doctor(self, _options: dict[str, Any]) -> None:
        grave = 0
        for name, findings in doctor.examine():
            self.stdout.write(f"{'✗' if findings else '✓'} {name}")
            for finding in findings:
                grave += finding.grave
                self.stdout.write(f"    {finding.what}\n    → {finding.remedy}")
        if grave:
            message = f"{grave} of these must be mended."
            raise CommandError(message)

    def _rotate_keys(self, _options: dict[str, Any]) -> None:
        self.stdout.write(f"{sum(rotation.rotate())} secrets sealed anew.")

    def _backup(self, options: dict[str, Any]) -> None:
        where = options["file"]
        try:
            if where == "-":
                rows = backups.make(sys.stdout.buffer, now=timezone.now())
            else:
                # never half a backup under the name of a whole one
                half = Path(f"{where}.half")
                half.unlink(missing_ok=True)
                half.touch(mode=0o600)  # everything about everybody stands in it
                with half.open("wb") as file:
                    rows = backups.make(file, now=timezone.now())
                half.replace(where)
        except (backups.BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"{rows} rows are saved. Keep the keys elsewhere: they are not in it.")

    def _restore(self, options: dict[str, Any]) -> None:
        where = options["file"]
        try:
            with sys.stdin.buffer if where == "-" else Path(where).open("rb") as file:
                done = backups.restore(file, now=timezone.now())
        except (backups.BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.rows} rows and {done.files} files of {done.made_at} came back. Nothing is"
            " published until somebody confirms: manage.py confirm_installation\nBefore that, end"
            " what was ended since and stands open again: people who left, roles (/system/roles/),"
            " keys of the directory (/people/directory/) and of programs (/programs/)."
        )
        for sentence in done.amiss:
            self.stderr.write(sentence)
        if done.amiss:
            message = f"{len(done.amiss)} things are not as they were saved."
            raise CommandError(message)

    def _person(self, options: dict[str, Any]) -> None:
        if options["act"] == "leave":
            return self._leave(_known(options["address"]))
        if options["act"] == "log-out":
            return self._log_out(_known(options["address"]))
        address, name = options["address"].strip(), " ".join(options["name"].split())
        try:
            validate_email(address)
        except ValidationError as error:
            message = f"{address!r} is no mail address."
            raise CommandError(message) from error
        if not 0 < len(name) <= _LONGEST_NAME:
            message = "Say the name, too: manage.py botschaft person add ADDRESS 'First Last'"
            raise CommandError(message)
        if Person.objects.filter(email_normalised=normalise_email(address)).exists():
            message = f"{address} is known already."
            raise CommandError(message)
        Person.objects.create_user(address, name=name)
        self.stdout.write(f"{name} can log in with a code by mail, or at the company.")
        return None

    def _log_out(self, person: Person) -> None:
        ended = logins.log_out(person=person, by=None, now=timezone.now())
        self.stdout.write(f"{person.name} is logged out everywhere: {ended} sessions ended.")

    def _leave(self, person: Person) -> None:
        try:
            leaving.leave(person=person, by=None, now=timezone.now())
        except memberships.LastAdministrator as error:
            message = f"{person.name} is the last administrator. Make somebody else one first."
            raise CommandError(message) from error
        except memberships.LeftAlready as error:
            message = f"{person.name} has left already."
            raise CommandError(message) from error
        self.stdout.write(f"{person.name} has left; nothing of theirs is published any more.")

    def _role(self, options: dict[str, Any]) -> None:
        person, name = _known(options["address"]), options["role"]
        try:
            verb = roles.give if options["act"] == "give" else roles.take
            changed = verb(person=person, name=name, by=None, now=timezone.now())
        except memberships.LastAdministrator as error:
            message = f"{person.name} is the last administrator. Make somebody else one first."
            raise CommandError(message) from error
        except roles.FromGroup as error:
            message = "A group of the directory gives this role: take the person out there."
            raise CommandError(message) from error
        held = ", ".join(sorted(person.role_set.values_list("name", flat=True))) or "none"
        self.stdout.write(
            f"{'Done' if changed else 'It was so already'}. {person.name}'s roles: {held}."
        )

    def _hold(self, options: dict[str, Any]) -> None:
        by = _curator(options["by"])
        if not (reason := " ".join(options["reason"].split())):
            message = "Say why; everybody reads it."
            raise CommandError(message)
        held = holds.hold(scope=Programme.the(), by=by, reason=reason, now=timezone.now())
        self.stdout.write(
            f"Everything is on hold. {len(held.in_flight)} posts had left already or were ended."
        )

    def _release(self, options: dict[str, Any]) -> None:
        released = holds.release(
            scope=Programme.the(), by=_curator(options["by"]), now=timezone.now()
        )
        self.stdout.write("Everything goes on." if released else "Nothing was on hold.")


def _known(address: str) -> Person:
    """Somebody who works here."""
    person = Person.objects.filter(email_normalised=normalise_email(address.strip())).first()
    if person is None:
        message = f"Nobody has the address {address}."
        raise CommandError(message)
    return person


def _curator(address: str) -> Person:
    person = _known(address)
    if person.left_at or not person.has_role("curator", "administrator"):
        message = f"{person.name} is neither curator nor administrator."
        raise CommandError(message)
    return person
