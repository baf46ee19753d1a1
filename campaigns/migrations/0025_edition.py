"""Everybody's part of Today is kept until something of it changes: each change leaves a row."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# One row for each statement, whatever it changed: only that there was one is asked. Inserted, not
# counted up in one row, because verbs would queue for that row, and in different orders.
_NOTE = """
CREATE FUNCTION note_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO campaigns_edition (at) VALUES (now()); RETURN NULL; END $$;
"""
_WHOLE = (
    "programme", "topic", "lightchange", "briefing", "briefingitem", "campaign", "activity",
    "holdrecord", "picture",
)  # fmt: skip
_EACH = "".join(
    f"""
CREATE TRIGGER {table}_edition AFTER INSERT OR UPDATE OR DELETE ON campaigns_{table}
  FOR EACH STATEMENT EXECUTE FUNCTION note_edition();
"""
    for table in _WHOLE
)
# Drafts are saved every few seconds and shown to nobody.
_SUGGESTIONS = """
CREATE TRIGGER suggestion_edition AFTER UPDATE ON campaigns_suggestion FOR EACH ROW
  WHEN (OLD.state = 'approved' OR NEW.state = 'approved') EXECUTE FUNCTION note_edition();
CREATE TRIGGER suggestion_new_edition AFTER INSERT ON campaigns_suggestion FOR EACH ROW
  WHEN (NEW.state = 'approved') EXECUTE FUNCTION note_edition();
CREATE TRIGGER suggestion_gone_edition AFTER DELETE ON campaigns_suggestion FOR EACH ROW
  WHEN (OLD.state = 'approved') EXECUTE FUNCTION note_edition();
CREATE FUNCTION note_edition_of_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaigns_edition (at) SELECT now() FROM campaigns_suggestion
    WHERE state = 'approved' AND id IN (
      CASE WHEN TG_OP <> 'DELETE' THEN NEW.suggestion_id END,
      CASE WHEN TG_OP <> 'INSERT' THEN OLD.suggestion_id END)
    LIMIT 1;
  RETURN NULL;
END $$;
"""
_PARTS = "".join(
    f"""
CREATE TRIGGER {table}_edition AFTER INSERT OR UPDATE OR DELETE ON campaigns_{table}
  FOR EACH ROW EXECUTE FUNCTION note_edition_of_part();
"""
    for table in ("variant", "suggestion_teams", "suggestion_kinds", "suggestion_sites")
)
# Whose idea it was, and whom to ask about an issue. Only where such a column is written.
_NAMES = """
CREATE TRIGGER proposal_edition AFTER UPDATE OF show_name, suggestion_id ON campaigns_proposal
  FOR EACH STATEMENT EXECUTE FUNCTION note_edition();
CREATE TRIGGER person_edition AFTER UPDATE OF name, email, left_at ON ambassadors_person
  FOR EACH STATEMENT EXECUTE FUNCTION note_edition();
"""
_NAMED = (*_WHOLE, "suggestion", "variant", "suggestion_teams", "suggestion_kinds",
          "suggestion_sites", "proposal")  # fmt: skip
_GONE = (
    "".join(f"DROP TRIGGER {table}_edition ON campaigns_{table};" for table in _NAMED)
    + """
DROP TRIGGER suggestion_new_edition ON campaigns_suggestion;
DROP TRIGGER suggestion_gone_edition ON campaigns_suggestion;
DROP TRIGGER person_edition ON ambassadors_person;
DROP FUNCTION note_edition();
DROP FUNCTION note_edition_of_part();
"""
)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0024_feedback"), ("ambassadors", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Edition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
        ),
        # What somebody used already is read for each look at Today; the new index serves for both.
        migrations.AddIndex(
            "post", models.Index(fields=["person", "suggestion"], name="post_person_suggestion")
        ),
        migrations.AlterField(
            "post",
            "person",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(_NOTE + _EACH + _SUGGESTIONS + _PARTS + _NAMES, _GONE),
    ]
