"""The demonstration's company, with whatever a stranger may have typed in all its texts."""

from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

WORDS = (models.CharField, models.TextField)


def nordwind():
    """Everybody and everything that the demonstration shows."""
    for name in ("nordwind", "newsroom", "people", "reception", "talks"):
        call_command(f"load_{name}", verbosity=0)


def said(model, field):
    """Whether people write this column: no choices, no key, and a blank between two words in it."""
    if type(field) not in WORDS or field.choices or field.unique or field.primary_key:
        return False
    return (
        field.name in {"name", "title"}
        or model._base_manager.filter(**{f"{field.name}__contains": " "}).exists()
    )


def poison(texts):
    """Put a script into every column that people write; returns the columns, and those that refused."""
    done, kept = [], []
    rooms = {"ambassadors", "integrations", "campaigns", "curation", "people", "reception"}
    for model in (m for m in apps.get_models() if m._meta.app_label in rooms):
        for field in model._meta.concrete_fields:
            if not said(model, field):
                continue
            most = field.max_length or 4_000
            fitting = [t for t in texts if len(t) + 8 <= most]
            if most > 2_500:
                fitting = [" ".join(texts)]
            table, column, key = (
                connection.ops.quote_name(n)
                for n in (model._meta.db_table, field.column, model._meta.pk.column)
            )
            sql = (
                f"UPDATE {table} SET {column} = f.said || ' ' || f.n FROM (SELECT {key} AS key, row_number() OVER () AS n,"
                f" (%s::text[])[1 + row_number() OVER () %% %s] AS said FROM {table}) f WHERE {table}.{key} = f.key AND {column} <> ''"
            )
            name = f"{model.__name__}.{field.name}"
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SET LOCAL session_replication_role = replica")
                    cursor.execute(sql, [fitting, len(fitting)])
                done.append(name)
            except DatabaseError as error:
                kept.append(f"{name}: {str(error).splitlines()[0]}")
    return done, kept
