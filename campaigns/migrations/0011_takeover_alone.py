"""Two standing takeovers of a channel never overlap, whoever writes."""

from django.db import migrations

# Channels as ranges of one number: so no extension is needed for the equality in a GiST index.
ADD = """
ALTER TABLE campaigns_takeover ADD CONSTRAINT takeover_alone EXCLUDE USING gist (
  int8range(channel_id, channel_id, '[]') WITH &&, tstzrange(begins_at, ends_at) WITH &&
) WHERE (state IN ('planned', 'accepted', 'released'));
"""
DROP = "ALTER TABLE campaigns_takeover DROP CONSTRAINT takeover_alone;"


class Migration(migrations.Migration):
    """SQL of our own, because Django's constraint wants its app for PostgreSQL installed."""

    dependencies = [("campaigns", "0010_ideas_campaigns_takeovers")]
    operations = [migrations.RunSQL(ADD, DROP)]
