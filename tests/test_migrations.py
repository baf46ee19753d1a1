"""A release only adds to the database: the processes of the one before still run beside it.

What takes away comes a release later, and stands below with the release that stopped using it.
"""

import re

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

# The last migrations before the rule; docs/for/upgrading.md tells administrators of it.
BEFORE = {
    "ambassadors": 20, "integrations": 9, "campaigns": 25, "people": 5, "curation": 4, "reception": 3,
}  # fmt: skip
# Second steps: "app.migration": "since when nothing of the code uses what goes".
SECOND_STEPS: dict[str, str] = {}
_TAKES = re.compile(r"\b(DROP\s+(TABLE|COLUMN)|RENAME\s+(TO|COLUMN)|SET\s+NOT\s+NULL)\b", re.I)


def takes(operation):
    """Why an operation would break the release before; empty where it only adds."""
    match operation:
        case migrations.RemoveField() | migrations.DeleteModel():
            return "the release before still reads it"
        case migrations.RenameField() | migrations.RenameModel() | migrations.AlterModelTable():
            return "the release before knows the old name"
        case migrations.AddField(field=field) if not (
            field.null or field.many_to_many or field.db_default is not models.NOT_PROVIDED
        ):
            return "the release before writes rows without it: null=True or db_default"
        case migrations.RunSQL(sql=sql) if isinstance(sql, str) and _TAKES.search(sql):
            return "its SQL takes something away"
    return ""


def later():
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        if app in BEFORE and int(name[:4]) > BEFORE[app]:
            yield f"{app}.{name}", migration


def test_release_only_adds():
    wrong = {
        (name, why)
        for name, migration in later()
        for operation in migration.operations
        if name not in SECOND_STEPS and (why := takes(operation))
    }
    assert wrong == set()


def test_second_steps_exist():
    assert set(SECOND_STEPS) <= {name for name, _migration in later()}


@pytest.mark.parametrize(
    ("operation", "ok"),
    [
        (migrations.RemoveField("post", "text"), False),
        (migrations.DeleteModel("Post"), False),
        (migrations.RenameField("post", "text", "words"), False),
        (migrations.AddField("post", "x", models.IntegerField()), False),
        (migrations.AddField("post", "x", models.IntegerField(default=1)), False),
        (migrations.AddField("post", "x", models.IntegerField(db_default=1)), True),
        (migrations.AddField("post", "x", models.IntegerField(null=True)), True),
        (migrations.RunSQL("ALTER TABLE a DROP COLUMN b"), False),
        (migrations.RunSQL("DROP TRIGGER a ON b; CREATE INDEX c ON d (e)"), True),
        (migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True))]), True),
    ],
)
def test_rule_sees_what_takes_away(operation, ok):
    assert (takes(operation) == "") is ok
