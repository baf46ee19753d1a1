"""Reading changes nothing: a GET at any address writes no row (ASVS 3.5.3)."""

import re

import pytest
from django.db import connection
from django.test import Client

from people.models import Call

from .conftest import browser
from .test_access import planted, routes, visitors  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
WRITES = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
# What a GET may write, and why: nothing of it is anybody's wish that a foreign link could press.
MAY = {
    "device": {"integrations_pushkey"},  # the installation's own key, made when first asked for
    "accounts": {"integrations_budget"},  # this month's counter of calls, made when first asked for
    "system": {"integrations_instance"},  # the installation's own number, likewise
    "ideas": {"campaigns_proposal"},  # that its author has seen an answer
    "figures": {"ambassadors_publishedfigure"},  # what was shown, so that none can be subtracted
    "term": {"ambassadors_auditentry"},  # that somebody looked at a person's notes
    # The login's own address, copied into allauth's table when its page is first opened; the key or
    # challenge that the next form answers, in this session.
    "account_email": {"account_emailaddress"},
    "mfa_activate_totp": {"ambassadors_loginsession"},
    "mfa_add_webauthn": {"ambassadors_loginsession"},
    # The network sends the browser back by GET (RFC 6749, 4.1.2), with a state of this session.
    "connect_callback": {"integrations_connectattempt"},
}


def written(path, visitor):
    """The tables that reading a page writes to."""
    found = set()

    def look(execute, sql, params, many, context):
        if match := WRITES.match(sql):
            found.add(match[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        visitor.get(path)
    return found


@pytest.mark.parametrize("who", ["stranger", "writer", "everything"])
def test_reading_an_address_writes_nothing(who, planted, visitors):
    seen = {}
    Call.objects.update(timezone="Europe/Berlin")
    person = {"writer": planted[0], "everything": visitors["resting"]}.get(who)
    visitor = browser(person) if person else Client()
    for name, path, _foreign in routes():
        if tables := written(path, visitor):
            seen[name] = tables
    assert person is None or visitor.get("/me/").status_code == 200  # still logged in
    assert {name: tables for name, tables in seen.items() if tables - MAY.get(name, set())} == {}
