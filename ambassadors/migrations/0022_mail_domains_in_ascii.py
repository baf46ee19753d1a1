"""Domains of mail addresses are stored in ASCII (IDNA 2008): the same one however it was typed."""

import unicodedata
from typing import Any

import idna
from django.db import migrations


def _written(address: str) -> str:
    local, at, domain = unicodedata.normalize("NFC", address).rpartition("@")
    try:
        return f"{local}{at}{idna.encode(domain, uts46=True).decode()}"
    except UnicodeError:
        return address


def write(apps: Any, schema_editor: Any) -> None:
    """Write them anew; one that somebody else has already stays as it is."""
    del schema_editor
    person_model = apps.get_model("ambassadors", "Person")
    login_model = apps.get_model("account", "EmailAddress")
    for person in person_model.objects.filter(email__regex=r"@.*[^\x01-\x7f]"):
        email = _written(person.email)
        normalised = unicodedata.normalize("NFKC", email).casefold()
        others = person_model.objects.exclude(pk=person.pk)
        if others.filter(email_normalised=normalised).exists():
            continue
        person_model.objects.filter(pk=person.pk).update(email=email, email_normalised=normalised)
        own = login_model.objects.filter(user_id=person.pk, email__iexact=person.email)
        if not login_model.objects.filter(email=email.lower()).exists():
            own.update(email=email.lower())


class Migration(migrations.Migration):
    dependencies = [
        ("ambassadors", "0021_drawn_keys"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
