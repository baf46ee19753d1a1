from django.db import migrations

COPY = """
    INSERT INTO ambassadors_savedview (person_id, page, name, query)
    SELECT person_id, 'desk', name, query FROM curation_savedview
"""
BACK = """
    INSERT INTO curation_savedview (person_id, name, query)
    SELECT person_id, name, query FROM ambassadors_savedview WHERE page = 'desk'
"""


class Migration(migrations.Migration):
    """Views that people keep are kept of several pages; the rows lie on the lowest floor now."""

    dependencies = [
        ("ambassadors", "0009_the_roster"),
        ("curation", "0003_sources"),
    ]

    operations = [
        migrations.RunSQL(COPY, BACK),
        migrations.DeleteModel(name="SavedView"),
    ]
