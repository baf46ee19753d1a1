"""Every address, asked by people who have no business there: the policy answers before the view."""

import uuid

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from advocacy.policies import POLICIES

from .conftest import browser

pytestmark = pytest.mark.django_db
# Under these addresses a role is needed; what opens without one is named with its reason.
ROOMS = ("desk/", "people/", "roster/", "record/", "evidence/", "system/")
OPEN = {"feed", "feed_secret"}  # they ask for a password themselves
EXAMPLES = {"IntConverter": 1, "UUIDConverter": uuid.UUID(int=1)}


def addresses():
    """Name and a concrete path of each of our own URLs."""
    for pattern in get_resolver().url_patterns:
        if getattr(pattern, "name", None) in POLICIES:
            asked = pattern.pattern.converters
            kwargs = {key: EXAMPLES.get(type(c).__name__, "x") for key, c in asked.items()}
            yield pattern.name, reverse(pattern.name, kwargs=kwargs)


def in_rooms():
    return [(n, p) for n, p in addresses() if p[1:].startswith(ROOMS) and n not in OPEN]


def test_rooms_are_closed_to_an_employee(jona):
    visitor = browser(jona)
    found = in_rooms()
    assert len(found) > 60
    assert [name for name, path in found if visitor.get(path).status_code != 403] == []
    assert [name for name, path in found if visitor.post(path).status_code != 403] == []


def test_rooms_send_a_stranger_to_the_login():
    stranger = Client()
    wrong = [
        (name, answer.status_code)
        for name, path in in_rooms()
        if (answer := stranger.get(path)).status_code != 302
        or not answer["Location"].startswith("/accounts/login/")
    ]
    assert wrong == []


def test_newsroom_is_closed_to_hr(person):
    visitor = browser(person("Selin Aydın", "hr"))
    desk = [(name, path) for name, path in in_rooms() if path.startswith("/desk/")]
    assert [name for name, path in desk if visitor.get(path).status_code != 403] == []


def test_somebody_who_left_opens_nothing(jona):
    visitor = browser(jona)
    type(jona).objects.filter(pk=jona.pk).update(left_at=jona.joined_at)
    public = {name for name, policy in POLICIES.items() if policy.__name__ in {"public", "bearer"}}
    wrong = [
        (name, status)
        for name, path in addresses()
        if name not in public | {"demo_login"}
        and (status := visitor.get(path).status_code) not in {302, 403}
    ]
    assert wrong == []
