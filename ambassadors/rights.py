"""What the application may do in PostgreSQL when it does not log in as the owner of the tables.

The record is added to and read. Whoever takes the application over can forge an erasure and blank
words by it, which the chain tells, and change nothing else (docs/adr/0006).
"""

from django.db import connection, transaction

_DOORS = "audit_strike, audit_seal, audit_let_go"
_GRANTS = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
REVOKE ALL ON ambassadors_auditentry, ambassadors_auditseal, ambassadors_auditunsealed,
  django_migrations FROM {role};
GRANT SELECT, INSERT ON ambassadors_auditentry TO {role};
GRANT SELECT ON ambassadors_auditseal, ambassadors_auditunsealed, django_migrations TO {role};
GRANT EXECUTE ON FUNCTION {doors} TO {role};
"""


@transaction.atomic
def grant(role: str) -> None:
    """Give a role exactly what the application needs. Only the owner of the tables can."""
    name = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema = name(cursor.fetchone()[0])
        cursor.execute(_GRANTS.format(schema=schema, role=name(role), doors=_DOORS))


@transaction.atomic
def let_in(role: str, password: str) -> None:
    """Make the login, or give it another password. It owns nothing and makes nobody."""
    name = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        word = "ALTER" if cursor.fetchone()[0] else "CREATE"
        cursor.execute(
            f"{word} ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %s", [password]
        )
