import datetime as dt
from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from campaigns import sameness

# As far back as colleagues.py looks; older posts are compared with nothing any more.
LOOKED_BACK = dt.timedelta(days=120)


def fill(apps: Any, schema_editor: Any) -> None:
    """Give the posts of the last months what is made of their text, a thousand at a time."""
    del schema_editor
    post = apps.get_model("campaigns", "Post")
    rows = post.objects.filter(created_at__gte=timezone.now() - LOOKED_BACK).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last).only("pk", "text")[:1000]):
        for row in batch:
            for column, value in sameness.kept(row.text).items():
                setattr(row, column, value)
        post.objects.bulk_update(batch, ["runs", "bands"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0019_posts_keep_bands"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Hinting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), size=None
                    ),
                ),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kinds", []), _negated=True),
                        name="hinting_of_something",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="post",
            name="runs",
            field=models.BinaryField(
                default=bytes, help_text="The text to compare with, as numbers."
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
