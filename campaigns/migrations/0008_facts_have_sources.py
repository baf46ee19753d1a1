"""A fact names its source; the history of lights refuses every change."""

from django.apps.registry import Apps
from django.db import migrations

FORBID = """
CREATE FUNCTION light_change_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'changes of a light are never changed'; END $$;
CREATE TRIGGER light_change_append_only BEFORE UPDATE OR DELETE ON campaigns_lightchange
FOR EACH ROW EXECUTE FUNCTION light_change_is_append_only();
"""
ALLOW = """
DROP TRIGGER light_change_append_only ON campaigns_lightchange;
DROP FUNCTION light_change_is_append_only();
"""


def add_sources(apps: Apps, schema_editor: object) -> None:
    """Make ``["a"]`` to ``[{"fact": "a", "source": ""}]``."""
    del schema_editor
    for topic in apps.get_model("campaigns", "Topic").objects.all():
        topic.facts = [
            fact if isinstance(fact, dict) else {"fact": str(fact), "source": ""}
            for fact in topic.facts
        ]
        topic.save(update_fields=["facts"])


def drop_sources(apps: Apps, schema_editor: object) -> None:
    """The way back; sources are lost."""
    del schema_editor
    for topic in apps.get_model("campaigns", "Topic").objects.all():
        topic.facts = [fact["fact"] for fact in topic.facts]
        topic.save(update_fields=["facts"])


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0007_the_situation")]
    operations = [
        migrations.RunPython(add_sources, drop_sources),
        migrations.RunSQL(FORBID, ALLOW),
    ]
