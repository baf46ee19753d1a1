"""Roles given by hand: by an administrator, in the record, and the last administrator stays."""

import pytest

from ambassadors.models import AuditEntry, Role

from .conftest import browser

pytestmark = pytest.mark.django_db

PAGE = "/system/roles/"


@pytest.fixture
def piet(person):
    return person("Piet Oltmanns", "administrator")


def held(person):
    return set(Role.objects.filter(person=person).values_list("name", flat=True))


def recorded():
    rows = AuditEntry.objects.filter(act__startswith="role.").order_by("pk")
    return [(row.act, row.actor_id, row.subject_id, row.facts["role"]) for row in rows]


def test_role_is_given_by_address_and_opens_its_rooms_at_once(piet, jona):
    visitor = browser(jona)
    assert visitor.get("/desk/").status_code == 403
    answer = browser(piet).post(
        PAGE, {"act": "give", "email": f"  {jona.email.upper()} ", "role": "curator"}, follow=True
    )
    assert "Jona Harms now has the role Curator." in answer.content.decode()
    assert browser(jona).get("/desk/").status_code == 200
    assert recorded() == [("role.granted", piet.pk, str(jona.pk), "curator")]


def test_role_that_is_held_already_is_no_second_entry(piet, mirja):
    browser(piet).post(PAGE, {"act": "give", "email": mirja.email, "role": "curator"})
    assert (held(mirja), recorded()) == ({"curator"}, [])


def test_role_is_taken_and_closes_its_rooms_at_once(piet, mirja):
    visitor = browser(mirja)
    assert visitor.get("/desk/").status_code == 200
    browser(piet).post(PAGE, {"act": "take", "person": mirja.pk, "role": "curator"})
    assert visitor.get("/desk/").status_code in {302, 403}
    assert (held(mirja), recorded()) == (
        set(),
        [("role.taken", piet.pk, str(mirja.pk), "curator")],
    )


def test_last_administrator_stays(piet, person):
    visitor = browser(piet)
    answer = visitor.post(PAGE, {"act": "take", "person": piet.pk, "role": "administrator"})
    assert answer.status_code == 422
    assert "Piet Oltmanns is the last administrator." in answer.content.decode()
    second = person("Second", "administrator")
    visitor.post(PAGE, {"act": "take", "person": piet.pk, "role": "administrator"})
    assert (held(piet), held(second)) == (set(), {"administrator"})


def test_role_of_a_group_is_the_directorys_until_it_is_given_by_hand(piet, jona):
    Role.objects.create(person=jona, name="curator", by_group=True)
    visitor = browser(piet)
    answer = visitor.post(PAGE, {"act": "take", "person": jona.pk, "role": "curator"})
    assert "Take Jona Harms out of the group there." in answer.content.decode()
    assert (answer.status_code, held(jona), recorded()) == (422, {"curator"}, [])
    visitor.post(PAGE, {"act": "give", "email": jona.email, "role": "curator"})
    assert not Role.objects.get(person=jona).by_group
    visitor.post(PAGE, {"act": "take", "person": jona.pk, "role": "curator"})
    assert held(jona) == set()


def test_role_given_by_hand_is_that_role_of_that_person(piet, jona, mirja):
    rows = [(jona, "curator"), (jona, "hr"), (mirja, "hr")]
    Role.objects.bulk_create(Role(person=who, name=name, by_group=True) for who, name in rows)
    browser(piet).post(PAGE, {"act": "give", "email": jona.email, "role": "curator"})
    by_group = Role.objects.filter(by_group=True).order_by("pk")
    assert list(by_group.values_list("person", "name")) == [(jona.pk, "hr"), (mirja.pk, "hr")]


@pytest.mark.parametrize(
    ("email", "role", "sentence"),
    [
        ("nobody@example.org", "curator", "Nobody who works here has this address."),
        ("", "curator", "Nobody who works here has this address."),
        ("\x00ö\ud800".encode("utf-8", "ignore").decode(), "hr", "Nobody who works here"),
        ("a" * 5000, "hr", "Nobody who works here"),
        ("jona", "ambassador", "Choose a role."),
        ("jona", "", "Choose a role."),
        ("jona", "superuser", "Choose a role."),
    ],
)
def test_bad_input_gets_a_sentence_and_nothing_typed_is_lost(piet, email, role, sentence):
    answer = browser(piet).post(PAGE, {"act": "give", "email": email, "role": role})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert (email[:300].replace("\x00", "") in answer.content.decode(), recorded()) == (True, [])


def test_who_has_left_is_given_nothing(piet, jona):
    type(jona).objects.filter(pk=jona.pk).update(left_at=jona.joined_at, is_active=False)
    answer = browser(piet).post(PAGE, {"act": "give", "email": jona.email, "role": "hr"})
    assert (answer.status_code, held(jona)) == (422, set())


@pytest.mark.parametrize("number", ["", "x", "0", "9" * 40, "-1"])
def test_taking_from_nobody_changes_nothing(piet, number):
    answer = browser(piet).post(PAGE, {"act": "take", "person": number, "role": "administrator"})
    assert (answer.status_code, held(piet)) == (302, {"administrator"})


@pytest.mark.parametrize("role", ["curator", "hr", "legal", "auditor"])
def test_only_an_administrator_gives_roles(person, jona, role):
    visitor = browser(person("Somebody", role))
    answer = visitor.post(PAGE, {"act": "give", "email": jona.email, "role": "administrator"})
    assert (answer.status_code, visitor.get(PAGE).status_code, held(jona)) == (403, 403, set())


@pytest.mark.parametrize("count", [1, 3])
def test_page_asks_a_constant_number_of_queries(piet, person, count, django_assert_num_queries):
    for number in range(count):
        person(f"P{number}", "curator", "hr")
    visitor = browser(piet)
    visitor.get(PAGE)
    with django_assert_num_queries(5):
        assert visitor.get(PAGE).content.decode().count('th scope="row"') == 2 * count + 1
