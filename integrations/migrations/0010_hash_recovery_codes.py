"""Recovery codes followed from a sealed seed until here; now their hashes alone are kept.

Those on paper go on counting. It takes a third of a second for each person who has a set.
"""

from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import migrations

from integrations import recovery_codes
from integrations.sealing import SealBroken


def hash_codes(apps: Any, schema_editor: Any) -> None:
    """Keep the hashes of the codes that are unused; none of a seed that no key opens."""
    del schema_editor
    rows = apps.get_model("mfa", "Authenticator").objects.filter(type="recovery_codes")
    for row in rows.exclude(data__has_key="codes"):
        try:
            codes = RecoveryCodes(row).get_unused_codes()
        except SealBroken:
            codes = []
        row.data = recovery_codes.hashed(codes)
        row.save(update_fields=["data"])


class Migration(migrations.Migration):
    atomic = False  # each set for itself: it may take long, and be begun again
    dependencies = [
        ("integrations", "0009_webhooks"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [migrations.RunPython(hash_codes, migrations.RunPython.noop)]
