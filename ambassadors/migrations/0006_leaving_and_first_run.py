"""Planned last days, addresses outside and links to data; who is here has had their first run."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ambassadors", "0005_terms"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="PrivateAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address", models.EmailField(max_length=254)),
                ("named_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Takeout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-made_at", "-pk"],
            },
        ),
        migrations.AddField(
            model_name="person",
            name="leaves_on",
            field=models.DateField(
                blank=True,
                help_text="The last day, as planned; over at its end on their clock.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="person",
            name="welcome",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="The next step of the first run, 0 when it is over; only the person sees it.",
            ),
        ),
        # Those who were here before this column are not welcomed again.
        migrations.AlterField(
            model_name="person",
            name="welcome",
            field=models.PositiveSmallIntegerField(
                default=1,
                help_text="The next step of the first run, 0 when it is over; only the person sees it.",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                condition=models.Q(("leaves_on__isnull", False)),
                fields=["leaves_on"],
                name="person_leaves_on",
            ),
        ),
        migrations.AddField(
            model_name="privateaddress",
            name="person",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="private_address",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="takeout",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="takeouts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="takeout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("used_at__isnull", True)),
                fields=("person",),
                name="takeout_one_open",
            ),
        ),
    ]
