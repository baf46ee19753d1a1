"""Keys of authenticators and recovery codes lay open until here; now they are sealed."""

from typing import Any

from django.db import migrations

from integrations import second_factors


def seal(apps: Any, schema_editor: Any) -> None:
    """Seal what is not sealed yet."""
    del schema_editor
    rows = apps.get_model("mfa", "Authenticator").objects
    for row in rows.filter(type__in=("totp", "recovery_codes")):
        row.data = second_factors.sealed(row.data)
        row.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0006_erased_attempt"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
