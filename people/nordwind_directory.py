"""What HR imported at Nordwind Energie, and what its identity provider brought."""

import datetime as dt

from django.core.files.uploadedfile import SimpleUploadedFile

from ambassadors import groups
from ambassadors.models import Person

from . import columns, imports, scim_tokens
from .models import PeopleImport, ScimGroup, ScimMember

_HEADER = "E-Mail;Vorname;Nachname;Personalnummer;Position;Standort;Sprache"
_JOINERS = (
    "levke.andresen;Levke;Andresen;70011;Elektronikerin;Lohe;de",
    "ole.brix;Ole;Brix;70012;Netzplaner;Zentrale;de",
    "samira.haddad;Samira;Haddad;70013;Wärmepumpentechnik;Altmühle;en",
)
_STUMBLES = (
    "joris.claasen@;Joris;Claasen;70014;Monteur;Lohe;de",
    "ole.brix;Ole;Brix;70012;Netzplaner;Zentrale;de",
    "wiebke.duhn;Wiebke;Duhn;70015;Leitwarte;Husum-Süd;de",
)
_HOST = "@nordwind-energie.example"


def load(*, now: dt.datetime) -> None:
    """A file of last month that is done, one that waits for a yes; a key, groups and rules."""
    by = {person.email.split("@")[0]: person for person in Person.objects.all()}
    hr = next(p for p in by.values() if p.has_role("hr"))
    boss = next(p for p in by.values() if p.has_role("administrator"))
    month = now - dt.timedelta(days=24)
    done = _file("neue-im-november.csv", _JOINERS[:2], hr, month)
    imports.agree(row=done, typed="", by=hr, now=month)
    _work(month)
    _file("abzug-dezember.csv", (*_JOINERS, *_STUMBLES), hr, now - dt.timedelta(hours=2))
    scim_tokens.make(
        name="Entra ID", expires_at=now + dt.timedelta(days=300), by=boss,
        now=now - dt.timedelta(days=65),
    )  # fmt: skip
    for name, role, keys in (
        ("Botschaft Redaktion", "curator", ("mirja.thomsen",)),
        ("Botschaft Recht", "legal", ()),
    ):
        group = ScimGroup.objects.create(
            display_name=name, key=name.casefold(), made_at=month, changed_at=month
        )
        ScimMember.objects.bulk_create(ScimMember(group=group, person=by[key]) for key in keys)
        groups.add_rule(group=name, role=role, by=boss, now=month)


def _file(name: str, rows: tuple[str, ...], by: Person, now: dt.datetime) -> PeopleImport:
    """Upload, choose the columns as guessed, let it be read."""
    lines = (row.replace(";", f"{_HOST};", 1) if "@" not in row else row for row in rows)
    text = "\r\n".join((_HEADER, *lines)) + "\r\n"
    upload = SimpleUploadedFile(name, text.encode("cp1252"), "text/csv")
    row = imports.upload(upload=upload, by=by, now=now)
    chosen = columns.checked(columns.guess(row.header, {}), row.header)
    imports.choose(row=row, mapping=chosen, mode=PeopleImport.Mode.ADD, makes_sites=False)
    _work(now)
    row.refresh_from_db()
    return row


def _work(now: dt.datetime) -> None:
    row = imports.claim(now=now)
    while row is not None:
        imports.work(row=row, seconds=30, now=now)
        row = imports.claim(now=now)
