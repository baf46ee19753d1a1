"""Absences with deputies, the legal role, a site's country, and a key for proofs."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ambassadors", "0002_audit_is_append_only")]

    operations = [
        migrations.AddField(
            "person",
            "evidence_key",
            models.UUIDField(
                db_default=RandomUUID(),
                editable=False,
                help_text="Names the person in append-only proofs; a new key makes the old ones nameless.",
                unique=True,
            ),
        ),
        migrations.AddField(
            "site",
            "country",
            models.CharField(
                default="DE",
                help_text="ISO 3166-1; whose law its people's posts follow.",
                max_length=2,
            ),
        ),
        migrations.AlterField(
            "role",
            "name",
            models.CharField(
                choices=[
                    ("ambassador", "Ambassador"),
                    ("curator", "Curator"),
                    ("legal", "Legal"),
                    ("hr", "HR"),
                    ("auditor", "Auditor"),
                    ("administrator", "Administrator"),
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="Absence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until_on", models.DateField(help_text="The last day away.")),
                ("named_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "deputy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="absences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-named_at", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("person",),
                        name="absence_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("person", models.F("deputy")), _negated=True),
                        name="absence_deputy_is_another",
                    ),
                ],
            },
        ),
    ]
