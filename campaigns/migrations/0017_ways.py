"""The wish for the issue by mail becomes a wish for any way; one message a day, whatever the way."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

WAYS = [("mail", "Mail"), ("slack", "Slack"), ("push", "Notification on a device")]
# Mails that were sent keep the day of their issue.
DAYS = """
UPDATE campaigns_reached r SET day = b.day FROM campaigns_briefing b WHERE b.id = r.briefing_id
"""


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("campaigns", "0016_a_guideline_may_hold"),
    ]

    operations = [
        migrations.RenameModel("BriefingMailWish", "ReachWish"),
        migrations.AlterField(
            "ReachWish",
            "person",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AlterField(
            "ReachWish",
            "at",
            models.TimeField(blank=True, null=True, help_text="On the person's clock."),
        ),
        migrations.AddField(
            "ReachWish", "way", models.CharField(choices=WAYS, default="mail", max_length=8)
        ),
        migrations.AlterField("ReachWish", "way", models.CharField(choices=WAYS, max_length=8)),
        migrations.AddField(
            "ReachWish",
            "address",
            models.CharField(
                blank=True,
                max_length=200,
                default="",
                help_text="What the way knows the person by, if not their mail.",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "ReachWish",
            "off_at",
            models.DateTimeField(blank=True, null=True, help_text="Nothing arrived; we stopped."),
        ),
        migrations.AddField(
            "ReachWish",
            "off_why",
            models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            "ReachWish",
            models.UniqueConstraint(fields=("person", "way"), name="reach_way_once"),
        ),
        migrations.AddConstraint(
            "ReachWish",
            models.UniqueConstraint(
                condition=models.Q(at__isnull=False, off_at__isnull=True),
                fields=("person",),
                name="reach_one_way_a_day",
            ),
        ),
        migrations.AddConstraint(
            "ReachWish",
            models.CheckConstraint(
                condition=models.Q(off_at__isnull=True, off_why="")
                | (models.Q(off_at__isnull=False) & ~models.Q(off_why="")),
                name="reach_off_says_why",
            ),
        ),
        migrations.RenameModel("BriefingMail", "Reached"),
        migrations.RemoveConstraint("Reached", "briefing_mail_once"),
        migrations.AddField("Reached", "day", models.DateField(null=True)),
        migrations.RunSQL(DAYS, migrations.RunSQL.noop),
        # Changed rows may have queued checks of their keys; the table is altered after these.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveField("Reached", "briefing"),
        migrations.AlterField("Reached", "day", models.DateField()),
        migrations.AddField(
            "Reached", "way", models.CharField(choices=WAYS, default="mail", max_length=8)
        ),
        migrations.AlterField("Reached", "way", models.CharField(choices=WAYS, max_length=8)),
        migrations.AddField(
            "Reached",
            "hold",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="campaigns.holdrecord",
            ),
        ),
        migrations.AddConstraint(
            "Reached",
            models.UniqueConstraint(
                condition=models.Q(hold__isnull=True),
                fields=("person", "day"),
                name="reached_once_a_day",
            ),
        ),
        migrations.AddConstraint(
            "Reached",
            models.UniqueConstraint(
                condition=models.Q(hold__isnull=False),
                fields=("hold", "person", "way"),
                name="reached_once_a_hold",
            ),
        ),
        migrations.AddIndex("Reached", models.Index(fields=["day"], name="reached_day")),
    ]
