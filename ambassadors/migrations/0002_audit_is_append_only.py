"""The audit table refuses every change to what stands in it."""

from django.db import migrations

FORBID = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit entries are never changed'; END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON ambassadors_auditentry
FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
"""
ALLOW = """
DROP TRIGGER audit_append_only ON ambassadors_auditentry;
DROP FUNCTION audit_is_append_only();
"""


class Migration(migrations.Migration):
    """A trigger, because Python is not the only one who can write."""

    dependencies = [("ambassadors", "0001_initial")]
    operations = [migrations.RunSQL(FORBID, ALLOW)]
