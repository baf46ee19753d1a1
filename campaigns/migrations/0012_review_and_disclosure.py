"""Approvals by revision, the disclosure table in versions, evidence, and a finer audience."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Until now a version held only the cells that it changed; a version is whole from now on.
WHOLE_TABLES = """
INSERT INTO campaigns_disclosuretable (version, note, proposed_at, in_force_at)
SELECT DISTINCT version, '', now(), now() FROM campaigns_disclosurerule;

INSERT INTO campaigns_disclosurerule
       (content_class, network, language, country, label, place, version, table_id)
SELECT DISTINCT ON (t.version, r.content_class, r.network, r.language)
       r.content_class, r.network, r.language, '', r.label, r.place, t.version, t.id
  FROM campaigns_disclosuretable t JOIN campaigns_disclosurerule r ON r.version < t.version
 WHERE NOT EXISTS (SELECT FROM campaigns_disclosurerule s WHERE s.version = t.version
                      AND (s.content_class, s.network, s.language)
                        = (r.content_class, r.network, r.language))
 ORDER BY t.version, r.content_class, r.network, r.language, r.version DESC;

UPDATE campaigns_disclosurerule r SET table_id = t.id
  FROM campaigns_disclosuretable t WHERE t.version = r.version AND r.table_id IS NULL;
"""
# What was decided before is kept as it was decided: by one person.
KNOWN_APPROVALS = """
INSERT INTO campaigns_approval (suggestion_id, revision, kind, person_id, given_at)
SELECT id, revision, 'editorial', approved_by_id, approved_at
  FROM campaigns_suggestion WHERE state = 'approved';
UPDATE campaigns_suggestion SET handed_in_at = changed_at WHERE state = 'in_review';
"""


def person(**more: object) -> "models.ForeignKey":
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL, **more
    )


def maybe_person() -> "models.ForeignKey":
    return models.ForeignKey(
        blank=True,
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ambassadors", "0003_absences_and_legal"),
        ("campaigns", "0011_takeover_alone"),
    ]

    operations = [
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.PositiveIntegerField()),
                ("kind", models.CharField(choices=[("editorial", "editorial"), ("legal", "legal")], max_length=10)),
                ("given_at", models.DateTimeField()),
                ("person", person()),
                ("suggestion", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to="campaigns.suggestion")),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("suggestion", "revision", "kind"), name="approval_once_per_kind"),
                    models.UniqueConstraint(fields=("suggestion", "revision", "person"), name="approval_once_per_person"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DisclosureTable",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField(unique=True)),
                ("note", models.CharField(blank=True, help_text="Why it was proposed.", max_length=400)),
                ("proposed_by", person(blank=True, null=True, related_name="+")),
                ("proposed_at", models.DateTimeField()),
                ("in_force_by", person(blank=True, null=True, related_name="+")),
                ("in_force_at", models.DateTimeField(blank=True, null=True)),
                ("dropped_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-version"],
                "constraints": [
                    models.UniqueConstraint(
                        models.Value(1),
                        condition=models.Q(("dropped_at__isnull", True), ("in_force_at__isnull", True)),
                        name="disclosure_one_proposal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("in_force_at__isnull", True), ("dropped_at__isnull", True), _connector="OR"),
                        name="disclosure_in_force_or_dropped",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("post_number", models.BigIntegerField(db_index=True)),
                ("author_key", models.UUIDField()),
                ("event", models.CharField(choices=[("copied", "copied"), ("opened", "opened"), ("sent", "published"), ("changed", "changed there")], max_length=10)),
                ("network", models.CharField(max_length=20)),
                ("language", models.CharField(max_length=2)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("part", models.PositiveSmallIntegerField()),
                ("text", models.TextField()),
                ("content_warning", models.CharField(blank=True, max_length=120)),
                ("picture_sha256", models.CharField(blank=True, max_length=64)),
                ("content_class", models.CharField(blank=True, max_length=20)),
                ("label", models.CharField(blank=True, max_length=60)),
                ("rule_version", models.PositiveIntegerField(help_text="0: no rule stood behind it.")),
                ("suggestion_number", models.BigIntegerField(null=True)),
                ("suggestion_revision", models.PositiveIntegerField()),
                ("approvals", models.JSONField(help_text="Lists of kind, evidence key of the person, and when.")),
                ("remote_id", models.CharField(blank=True, max_length=400)),
                ("left_at", models.DateTimeField(db_index=True)),
                ("kept_at", models.DateTimeField()),
                ("keep_until", models.DateField(help_text="Three full years after its own; then it may go.")),
                ("sha256", models.CharField(help_text="Over everything above but kept_at.", max_length=64)),
            ],
            options={"ordering": ["pk"]},
        ),
        migrations.AlterModelOptions(name="disclosurerule", options={"ordering": ["table", "pk"]}),
        migrations.AddField("disclosurerule", "country", models.CharField(blank=True, help_text="Empty: every country.", max_length=2)),
        migrations.AlterField("disclosurerule", "label", models.CharField(blank=True, max_length=60)),
        migrations.AddField(
            "disclosurerule", "table",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="campaigns.disclosuretable"),
        ),
        migrations.RunSQL(WHOLE_TABLES, migrations.RunSQL.noop),
        migrations.AlterField(
            "disclosurerule", "table",
            models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="campaigns.disclosuretable"),
        ),
        migrations.RemoveConstraint("disclosurerule", "disclosure_once"),
        migrations.RemoveField("disclosurerule", "version"),
        migrations.AddConstraint(
            "disclosurerule",
            models.UniqueConstraint(fields=("table", "content_class", "network", "language", "country"), name="disclosure_once"),
        ),
        migrations.AddField("post", "content_class", models.CharField(blank=True, max_length=20)),
        migrations.AddField("post", "country", models.CharField(blank=True, max_length=2)),
        migrations.AddField("post", "suggestion_revision", models.PositiveIntegerField(default=0)),
        migrations.AddField(
            "suggestion", "audience_interests",
            models.JSONField(default=list, help_text="Slugs of topics; people who follow one of them."),
        ),
        migrations.AddField("suggestion", "changed_by", maybe_person()),
        migrations.AddField("suggestion", "handed_in_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("suggestion", "kinds", models.ManyToManyField(blank=True, to="ambassadors.teamkind")),
        migrations.AddField("suggestion", "offer_ends_on", models.DateField(blank=True, null=True)),
        migrations.AddField("suggestion", "offer_name", models.CharField(blank=True, max_length=200)),
        migrations.AddField("suggestion", "offer_terms_url", models.URLField(blank=True, max_length=1000)),
        migrations.AddIndex(
            "suggestion",
            models.Index(condition=models.Q(("state", "in_review")), fields=["handed_in_at"], name="suggestion_waiting"),
        ),
        migrations.RunSQL(KNOWN_APPROVALS, migrations.RunSQL.noop),
    ]  # fmt: skip
