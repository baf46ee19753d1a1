"""The address of one's own login: nobody else's, and only once a mail there was answered."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils.http import int_to_base36

from advocacy.views import own_address
from ambassadors.models import AuditEntry, Person

from .conftest import browser

pytestmark = pytest.mark.django_db
PAGE, NEW = "/accounts/email/", "jona.new@example.org"


@pytest.fixture(autouse=True)
def _fresh_counts():
    cache.clear()


def add(who, address):
    return browser(who).post(PAGE, {"action_add": "", "email": address}, follow=True)


def choose(who, address):
    """Press for the address as the one for the login."""
    return browser(who).post(PAGE, {"action_primary": "", "email": address}, follow=True)


def confirm():
    """Open the link of the last mail and press its button."""
    [link] = re.findall(r"https?://[^/]+(/accounts/confirm-email/\S+)", mail.outbox[-1].body)
    return Client().post(link, follow=True)


def addresses(who):
    who.refresh_from_db()
    return who.email, who.email_normalised


def test_address_of_a_colleague_is_refused_beside_the_field(jona, mirja):
    before = addresses(jona)
    for typed in (mirja.email, mirja.email.upper()):
        assert "Somebody here has this address." in add(jona, typed).content.decode()
        choose(jona, typed)
    assert addresses(jona) == before
    assert not EmailAddress.objects.filter(user=jona, email=mirja.email).exists()
    assert mail.outbox == []


def test_new_address_counts_once_a_mail_there_was_answered_and_its_person_says_so(jona):
    before = addresses(jona)
    add(jona, NEW)
    choose(jona, NEW)  # nobody has answered the mail
    assert addresses(jona) == before
    assert confirm().status_code == 200
    assert addresses(jona) == before  # a link in a mail changes no login
    assert not AuditEntry.objects.filter(act="person.mail_changed").exists()
    choose(jona, NEW)
    assert addresses(jona) == (NEW, NEW)
    [entry] = AuditEntry.objects.filter(act="person.mail_changed")
    assert (entry.actor_id, entry.subject_id) == (jona.pk, str(jona.pk))


def test_address_that_somebody_got_meanwhile_is_neither_confirmed_nor_taken(jona, person):
    before = addresses(jona)
    add(jona, NEW)
    other = person("Jona Two")
    Person.objects.filter(pk=other.pk).update(email=NEW, email_normalised=NEW)
    assert confirm().status_code == 200
    assert not EmailAddress.objects.get(user=jona, email=NEW).verified
    EmailAddress.objects.filter(user=jona, email=NEW).update(verified=True)
    assert choose(jona, NEW).status_code == 200
    assert addresses(jona) == before


def test_what_is_compared_follows_the_address_however_it_is_saved(jona):
    jona.email = "Jona@Müller.example"
    jona.save(update_fields=["email"])
    assert addresses(jona) == ("Jona@xn--mller-kva.example", "jona@xn--mller-kva.example")


def test_domain_of_a_new_address_is_kept_as_it_is_stored(jona):
    add(jona, "jona@m\u00fcller.example")
    assert EmailAddress.objects.filter(user=jona, email="jona@xn--mller-kva.example").exists()


def test_address_that_a_colleague_gets_at_the_same_moment_is_refused(jona, mirja, monkeypatch):
    before = addresses(jona)
    EmailAddress.objects.create(user=jona, email=NEW, verified=True)
    Person.objects.filter(pk=mirja.pk).update(email=NEW, email_normalised=NEW)
    monkeypatch.setattr(own_address, "is_somebody_elses", lambda *_what: False)  # looked before
    assert "Somebody here has this address." in choose(jona, NEW).content.decode()
    assert addresses(jona) == before


def test_address_that_is_longer_than_mail_takes_gets_a_sentence(jona):
    typed = "jona@" + ".".join(["\u00fc" * 40] * 6) + ".example"
    assert len(typed) < 320  # what allauth's field takes
    assert "We cannot write to this address." in add(jona, typed).content.decode()
    assert mail.outbox == []


@pytest.mark.parametrize("answered", [False, True])
def test_address_that_a_colleague_named_before_opens_the_account_of_who_logs_in_by_it(
    jona, mailoutbox, answered
):
    """Else she would write, and connect her accounts, where he reads along."""
    EmailAddress.objects.create(user=jona, email="anna@example.org", verified=answered)
    anna = Person.objects.create_user("Anna@example.org", name="Anna")
    visitor = Client()
    there = visitor.post("/accounts/login/code/", {"email": "anna@example.org"})["Location"]
    code = re.search(r"\n([A-Z0-9]{3,}-?[A-Z0-9]*)\n", mailoutbox[0].body)[1]
    visitor.post(there, {"code": code})
    assert visitor.session[SESSION_KEY] == str(anna.pk)
    visitor.post("/accounts/password/reset/", {"email": "anna@example.org"})
    [link] = [re.search(r"/accounts/password/reset/key/(\w+)-", one.body) for one in mailoutbox[1:]]
    assert link[1] == int_to_base36(anna.pk)
