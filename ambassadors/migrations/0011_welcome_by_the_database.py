"""The database itself says that a new person has not met the first run: rows come by COPY, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ambassadors", "0010_secret_feeds")]

    operations = [
        migrations.AlterField(
            "person",
            "welcome",
            models.PositiveSmallIntegerField(
                db_default=1,
                help_text="First run: 1 not met, 2 to 4 at its steps, 0 over. Only the person sees it.",
            ),
        ),
    ]
