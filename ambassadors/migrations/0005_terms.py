"""Places and terms of teams; the ways between stages, and the places, guarded by a trigger."""

from django.db import migrations, models

MEND = """
UPDATE ambassadors_membership SET stage = 'alumni' WHERE ended_on IS NOT NULL AND stage <> 'alumni';
UPDATE ambassadors_membership SET ended_on = GREATEST(stage_since_on, started_on)
WHERE stage = 'alumni' AND ended_on IS NULL;
"""
GUARD = """
CREATE FUNCTION ambassadors_membership_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  holds CONSTANT text[] := ARRAY['invited', 'in_training', 'active', 'paused'];
  ways CONSTANT text[] := ARRAY[
    'nominated>invited', 'invited>in_training', 'paused>in_training', 'invited>active',
    'in_training>active', 'paused>active', 'in_training>paused', 'active>paused',
    'in_training>alumni', 'active>alumni', 'paused>alumni'];
  places integer;
  taken integer;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.stage <> OLD.stage AND NOT OLD.stage || '>' || NEW.stage = ANY (ways) THEN
    RAISE EXCEPTION 'no way from % to %', OLD.stage, NEW.stage
      USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_way';
  END IF;
  IF NOT NEW.stage = ANY (holds) OR (
    TG_OP = 'UPDATE' AND OLD.stage = ANY (holds) AND OLD.team_id = NEW.team_id
  ) THEN
    RETURN NEW;
  END IF;
  SELECT capacity INTO places FROM ambassadors_team WHERE id = NEW.team_id;
  IF places IS NULL THEN
    RETURN NEW;
  END IF;
  -- Whoever comes second waits here, and then counts the first.
  SELECT capacity INTO places FROM ambassadors_team WHERE id = NEW.team_id FOR NO KEY UPDATE;
  SELECT count(*) INTO taken FROM ambassadors_membership
    WHERE team_id = NEW.team_id AND stage = ANY (holds) AND id IS DISTINCT FROM NEW.id;
  IF taken >= places THEN
    RAISE EXCEPTION 'all places of team % are taken', NEW.team_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_has_place';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER membership_guard BEFORE INSERT OR UPDATE OF stage, team_id ON ambassadors_membership
FOR EACH ROW EXECUTE FUNCTION ambassadors_membership_guard();
"""
UNGUARD = """
DROP TRIGGER membership_guard ON ambassadors_membership;
DROP FUNCTION ambassadors_membership_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("ambassadors", "0004_what_people_say_they_have")]

    operations = [
        migrations.RunSQL(MEND, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="membership",
            name="paused_until_on",
            field=models.DateField(
                blank=True,
                help_text="The last day of the pause, if the person named one.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="renewal_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="membership",
            name="until_on",
            field=models.DateField(
                blank=True,
                help_text="The last day of the term as agreed; it may be renewed.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="capacity",
            field=models.PositiveIntegerField(
                blank=True, help_text="Places; empty for no limit. A trigger counts.", null=True
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="term_months",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="How long a term is; empty for one without an end.", null=True
            ),
        ),
        migrations.AddField(
            model_name="teamkind",
            name="tasks_en",
            field=models.JSONField(default=list, help_text="The same in English."),
        ),
        migrations.AlterField(
            model_name="teamkind",
            name="tasks",
            field=models.JSONField(default=list, help_text="One sentence each, in German."),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_on__isnull", False), ("stage", "alumni")),
                    models.Q(
                        models.Q(("stage", "alumni"), _negated=True), ("ended_on__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="membership_ended_is_alumni",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("paused_until_on__isnull", True), ("stage", "paused"), _connector="OR"
                ),
                name="membership_pause_has_its_stage",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("until_on__isnull", True),
                    ("until_on__gte", models.F("started_on")),
                    _connector="OR",
                ),
                name="membership_until_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("capacity__isnull", True), ("capacity__range", (1, 10000)), _connector="OR"
                ),
                name="team_capacity_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("term_months__isnull", True), ("term_months__range", (1, 60)), _connector="OR"
                ),
                name="team_term_in_range",
            ),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
