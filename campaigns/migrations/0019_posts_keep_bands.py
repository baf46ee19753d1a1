import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


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
