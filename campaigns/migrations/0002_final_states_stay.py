"""A delivery that is sent, failed or cancelled stays so, whoever writes."""

from django.db import migrations

FORBID = """
CREATE FUNCTION delivery_final_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'delivery % is % and stays so', OLD.id, OLD.state; END $$;
CREATE TRIGGER delivery_final BEFORE UPDATE ON campaigns_delivery FOR EACH ROW
WHEN (OLD.state IN ('sent', 'failed', 'cancelled') AND NEW.state <> OLD.state)
EXECUTE FUNCTION delivery_final_stays();
"""
ALLOW = """
DROP TRIGGER delivery_final ON campaigns_delivery;
DROP FUNCTION delivery_final_stays();
"""


class Migration(migrations.Migration):
    """A trigger, because a conditional UPDATE can be forgotten."""

    dependencies = [("campaigns", "0001_initial")]
    operations = [migrations.RunSQL(FORBID, ALLOW)]
