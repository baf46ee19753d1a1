"""The record as a chain: who wrote what is sealed, names can be struck, nothing else changes.

docs/adr/0006 says why it is built so. Every function runs with the rights of the tables' owner, so
that the application may do with another login what stands here, and nothing else.
"""

from typing import Any

import django.contrib.postgres.fields
from django.db import migrations, models

# {s} is the schema of our tables; a function never looks anywhere else.
RIGHTS = "SECURITY DEFINER SET search_path = {s}, pg_temp"
HASHES = """
CREATE FUNCTION audit_words(salt uuid, reason text, facts jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
SELECT encode(sha256(convert_to(jsonb_build_array(salt, reason, facts)::text, 'UTF8')), 'hex') $$;

CREATE FUNCTION audit_digest(e ambassadors_auditentry) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
SELECT encode(sha256(convert_to(jsonb_build_array(
  e.id, (extract(epoch FROM e.at) * 1000000)::bigint, e.actor_id, e.act, e.subject, e.subject_id,
  e.words)::text, 'UTF8')), 'hex') $$;
"""
# Each new entry gets a salt and the digest of its words, and waits to be sealed.
ARRIVE = """
CREATE FUNCTION audit_arrives() RETURNS trigger LANGUAGE plpgsql {rights} AS $$
BEGIN
  NEW.salt := gen_random_uuid();
  NEW.words := audit_words(NEW.salt, NEW.reason, NEW.facts);
  INSERT INTO ambassadors_auditunsealed VALUES (NEW.id);
  RETURN NEW;
END $$;
CREATE TRIGGER audit_arrives BEFORE INSERT ON ambassadors_auditentry
FOR EACH ROW EXECUTE FUNCTION audit_arrives();
"""
# What a person is known by: the columns that the takeout.py of each room declares as names.
NAMES = """
CREATE FUNCTION audit_names(who bigint) RETURNS text[] LANGUAGE plpgsql STABLE {rights} AS $$
BEGIN RETURN ARRAY(
  SELECT name FROM (
    SELECT unnest(ARRAY[name, email, external_id]) FROM ambassadors_person WHERE id = who
    UNION SELECT address FROM ambassadors_privateaddress WHERE person_id = who
    UNION SELECT email FROM account_emailaddress WHERE user_id = who
    UNION SELECT uid FROM socialaccount_socialaccount WHERE user_id = who
    UNION SELECT unnest(ARRAY[handle, profile_url]) FROM integrations_connectedaccount
      WHERE person_id = who
  ) AS known (name) WHERE char_length(name) >= 4);
END $$;

CREATE FUNCTION audit_escaped(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT regexp_replace($1, '([.^$*+?()\\[\\]{}|\\\\])', '\\\\\\1', 'g') $$;

CREATE FUNCTION audit_only_struck(before text, after text, names text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
SELECT before ~ ('^(?:' || replace(audit_escaped(after), '…', '(?:…' || coalesce(
  (SELECT string_agg('|' || audit_escaped(name), '') FROM unnest(names) AS known (name)), ''
) || ')') || ')$') $$;
"""
# The law of the table, whoever writes: an entry stays, but for the names of somebody who is being
# erased; and after a year it may go. What was struck is told in the chain itself.
GUARD = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql {rights} AS $$
DECLARE
  erasure bigint := nullif(current_setting('botschaft.erasure', true), '')::bigint;
  who bigint;
  names text[];
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '365 days' THEN RETURN OLD; END IF;
  IF TG_OP = 'UPDATE' AND
     (NEW.id, NEW.at, NEW.actor_id, NEW.act, NEW.subject, NEW.subject_id, NEW.words)
     IS NOT DISTINCT FROM
     (OLD.id, OLD.at, OLD.actor_id, OLD.act, OLD.subject, OLD.subject_id, OLD.words) THEN
    SELECT person_id INTO who FROM ambassadors_erasure
      WHERE id = erasure AND done_at IS NULL AND taken_back_at IS NULL;
    names := audit_names(who);
    IF who IS NOT NULL AND audit_only_struck(OLD.reason, NEW.reason, names)
       AND audit_only_struck(OLD.facts::text, NEW.facts::text, ARRAY(
         SELECT substring(to_jsonb(name)::text FROM 2 FOR char_length(to_jsonb(name)::text) - 2)
         FROM unnest(names) AS known (name))) THEN
      NEW.salt := gen_random_uuid();
      INSERT INTO ambassadors_auditentry (at, act, subject, subject_id, reason, facts, words)
      VALUES (now(), 'record.struck', 'ambassadors.auditentry', OLD.id, '', jsonb_build_object(
        'erasure', erasure, 'words', audit_words(NEW.salt, NEW.reason, NEW.facts)), '');
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'audit entries are never changed';
END $$;

CREATE FUNCTION audit_is_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit entries are never changed'; END $$;
CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON ambassadors_auditentry
EXECUTE FUNCTION audit_is_never_emptied();
CREATE TRIGGER audit_seal_never_emptied BEFORE TRUNCATE ON ambassadors_auditseal
EXECUTE FUNCTION audit_is_never_emptied();
CREATE TRIGGER audit_seal_never_changed BEFORE UPDATE ON ambassadors_auditseal
FOR EACH ROW EXECUTE FUNCTION audit_is_never_emptied();
"""
DOORS = """
CREATE FUNCTION audit_strike(erasure bigint, entry bigint, new_reason text, new_facts jsonb)
RETURNS void LANGUAGE plpgsql {rights} AS $$
BEGIN
  PERFORM set_config('botschaft.erasure', erasure::text, true);
  UPDATE ambassadors_auditentry SET reason = new_reason, facts = new_facts WHERE id = entry;
  PERFORM set_config('botschaft.erasure', '', true);
END $$;

CREATE FUNCTION audit_seal(most integer) RETURNS integer LANGUAGE plpgsql {rights} AS $$
DECLARE
  ids bigint[];
  told text;
  latest timestamptz;
  before record;
  sealed timestamptz := clock_timestamp();
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('botschaft.record')) THEN RETURN 0; END IF;
  WITH taken AS (
    DELETE FROM ambassadors_auditunsealed WHERE entry_id IN (
      SELECT entry_id FROM ambassadors_auditunsealed ORDER BY entry_id LIMIT most)
    RETURNING entry_id)
  SELECT array_agg(entry_id ORDER BY entry_id) INTO ids FROM taken;
  IF ids IS NULL THEN RETURN 0; END IF;
  SELECT string_agg(audit_digest(e), ',' ORDER BY e.id), max(e.at) INTO told, latest
    FROM ambassadors_auditentry e WHERE e.id = ANY (ids);
  SELECT number, head INTO before FROM ambassadors_auditseal ORDER BY number DESC LIMIT 1;
  INSERT INTO ambassadors_auditseal (number, sealed_at, last_at, entries, head)
  SELECT n, sealed, coalesce(latest, sealed), ids, encode(sha256(convert_to(concat_ws('|',
    coalesce(before.head, ''), n, (extract(epoch FROM sealed) * 1000000)::bigint,
    (extract(epoch FROM coalesce(latest, sealed)) * 1000000)::bigint,
    array_to_string(ids, ','), coalesce(told, '')), 'UTF8')), 'hex')
  FROM (SELECT coalesce(before.number, 0) + 1) AS next (n);
  RETURN cardinality(ids);
END $$;

CREATE FUNCTION audit_let_go(up_to bigint) RETURNS integer LANGUAGE plpgsql {rights} AS $$
DECLARE gone integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('botschaft.record'));
  DELETE FROM ambassadors_auditentry WHERE id IN (
    SELECT unnest(entries) FROM ambassadors_auditseal WHERE number <= up_to);
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM ambassadors_auditseal WHERE number < up_to;
  INSERT INTO ambassadors_auditentry (at, act, subject, subject_id, reason, facts, words)
  VALUES (now(), 'record.let_go', 'ambassadors.auditseal', up_to, '',
    jsonb_build_object('entries', gone), '');
  RETURN gone;
END $$;
REVOKE ALL ON FUNCTION audit_strike, audit_seal, audit_let_go, audit_names FROM PUBLIC;
"""
# What stands there already is taken as it is, and sealed from here on.
BEGIN = """
ALTER TABLE ambassadors_auditentry DISABLE TRIGGER audit_append_only;
UPDATE ambassadors_auditentry SET salt = gen_random_uuid();
UPDATE ambassadors_auditentry SET words = audit_words(salt, reason, facts);
ALTER TABLE ambassadors_auditentry ENABLE TRIGGER audit_append_only;
INSERT INTO ambassadors_auditunsealed SELECT id FROM ambassadors_auditentry;
"""
BACK = """
DROP TRIGGER audit_seal_never_changed ON ambassadors_auditseal;
DROP TRIGGER audit_seal_never_emptied ON ambassadors_auditseal;
DROP TRIGGER audit_never_emptied ON ambassadors_auditentry;
DROP TRIGGER audit_arrives ON ambassadors_auditentry;
DROP FUNCTION audit_let_go, audit_seal, audit_strike, audit_is_never_emptied, audit_arrives,
  audit_only_struck, audit_escaped, audit_names, audit_digest, audit_words;
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit entries are never changed'; END $$;
"""


def build(_apps: Any, schema_editor: Any) -> None:
    """Make the functions, in the schema in which our tables stand."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema = connection.ops.quote_name(cursor.fetchone()[0])
    rights = RIGHTS.replace("{s}", schema)
    for part in (HASHES, ARRIVE, NAMES, GUARD, DOORS, BEGIN):
        schema_editor.execute(part.replace("{rights}", rights))


def take_down(_apps: Any, schema_editor: Any) -> None:
    """Leave an append-only table without a chain."""
    schema_editor.execute(BACK)


class Migration(migrations.Migration):
    dependencies = [("ambassadors", "0017_left_alone")]
    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="salt",
            field=models.UUIDField(editable=False, help_text="Of the digest.", null=True),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="words",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="Digest of salt, reason and facts as they were written.",
                max_length=64,
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["act", "-id"], name="audit_act"),
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sealed_at", models.DateTimeField()),
                (
                    "last_at",
                    models.DateTimeField(help_text="Of the youngest entry."),
                ),
                (
                    "entries",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("head", models.CharField(max_length=64)),
            ],
            options={"ordering": ["-number"]},
        ),
        migrations.CreateModel(
            name="AuditUnsealed",
            fields=[("entry_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.RunPython(build, take_down, elidable=False),
    ]
