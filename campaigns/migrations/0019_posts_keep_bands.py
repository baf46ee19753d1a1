import datetime as dt
from typing import Any

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models
from django.utils import timezone

from campaigns import sameness

# As far back as colleagues.py looks; older posts are compared with nothing any more.
LOOKED_BACK = dt.timedelta(days=120)


def fill(apps: Any, schema_editor: Any) -> None:
    """Give the posts of the last months their bands, a thousand at a time."""
    del schema_editor
    post = apps.get_model("campaigns", "Post")
    rows = post.objects.filter(created_at__gte=timezone.now() - LOOKED_BACK).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last).only("pk", "text", "bands")[:1000]):
        for row in batch:
            row.bands = sameness.bands(row.text)
        post.objects.bulk_update(batch, ["bands"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0018_own_drafts"),
    ]

    operations = [
        migrations.AddField(
            model_name="post",
            name="bands",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.IntegerField(),
                default=list,
                editable=False,
                help_text="What a text that says nearly the same has in common with this one.",
                size=None,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="post",
            index=django.contrib.postgres.indexes.GinIndex(fields=["bands"], name="post_bands"),
        ),
        migrations.AddIndex(
            model_name="suggestion",
            index=django.contrib.postgres.indexes.HashIndex(
                condition=models.Q(("link_url", ""), _negated=True),
                fields=["link_url"],
                name="suggestion_link",
            ),
        ),
    ]
