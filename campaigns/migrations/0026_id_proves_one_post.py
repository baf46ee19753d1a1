"""A network's id proves one post of an account; a second one with it is a wrong answer."""

from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0025_edition"),
        ("integrations", "0009_webhooks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            "delivery",
            models.UniqueConstraint(
                fields=["account", "remote_id"],
                condition=~Q(remote_id="") & ~Q(remote_id__startswith="https://"),
                name="delivery_id_proves_one",
            ),
        ),
    ]
