"""What no password may be, and that nothing else is asked of one (ASVS 6.2)."""

import hashlib
import math
import random
import re
from datetime import timedelta

import pytest
from allauth.account.adapter import get_adapter
from allauth.mfa.totp.internal.auth import (
    generate_totp_secret,
    hotp_value,
    validate_totp_code,
    yield_hotp_counters_from_time,
)
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from advocacy import passwords
from ambassadors.login_sessions import SessionStore
from ambassadors.models.erasure import drawn
from integrations import recovery_codes
from people.models.course import new_code
from reception.models import inquiry, talk_request

from .conftest import browser


def taken(password):
    try:
        validate_password(password)
    except ValidationError:
        return False
    return True


def test_three_thousand_common_ones_that_could_be_chosen_are_refused():
    """ASVS 6.2.4 asks for the 3,000 most common ones that are long enough."""
    could = [one for one in passwords.long_ones() if len(one) >= 12]
    assert len(could) > 3900
    assert [one for one in could if taken(one) or taken(one.upper())] == []


@pytest.mark.parametrize(
    "password",
    [
        "123456789012", "111111111111", "123412341234", "010203040506", "qwertyuiop123",
        "1234567890qwerty", "Passwort2024!", "ababababababab",
    ],
)  # fmt: skip
def test_pattern_and_dressed_word_are_refused(password):
    assert not taken(password)


@pytest.mark.parametrize(
    "password",
    [
        "739184620517", "!?&%=+*#-_:;<>", "wolkenkratzer", "WOLKENKRATZER", "      zwölf leere",
        "пароль-с-моря", "🙂🙃🐑🐐🐕🌊🌬⚓🌻🌙⭐🍎",
    ],
)  # fmt: skip
def test_no_kind_of_sign_is_asked_for(password):
    assert taken(password)


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("nordwind-2026", False),
        ("Energie!Nordwind", False),
        ("Botschaft12345", False),
        ("team-windrose-1", False),
        ("example2026!!", False),
        ("ein schaf bei nordwind", True),
        ("windmühlenflügel", True),
    ],
)
def test_words_of_the_company_are_no_password(password, good, settings):
    settings.ORGANISATION, settings.SITE_URL = "Nordwind Energie", "https://team.example.com"
    settings.COMPANY_MAIL_DOMAINS, settings.PASSWORD_WORDS = ["example.org"], ["Windrose"]
    assert taken(password) == good


def test_breached_password_is_refused_where_the_operator_has_the_lists(settings, tmp_path):
    breached, other = "ein-schaf-im-nebel", "ein-schaf-im-regen"
    found = hashlib.sha1(breached.encode(), usedforsecurity=False).hexdigest().upper()
    (tmp_path / f"{found[:5]}.txt").write_text(f"{'0' * 35}:3\n{found[5:]}:17\n")
    assert taken(breached)
    settings.BREACHED_PASSWORDS = str(tmp_path)
    assert (taken(breached), taken(other)) == (False, True)


@pytest.mark.django_db
def test_page_says_the_rules_beforehand_and_no_empty_line(client, jona, settings, tmp_path):
    settings.BREACHED_PASSWORDS = str(tmp_path)
    client.force_login(jona)
    page = client.get("/accounts/password/change/").content.decode()
    told = re.findall("<li>(.*?)</li>", page.partition("_helptext")[2].partition("</ul>")[0])
    assert (len(told), "" in told, "stolen elsewhere" in " ".join(told)) == (6, False, True)
    assert 'placeholder="Current Password"' not in page


def test_password_of_ten_years_ago_still_opens(jona):
    """Nothing ages one: no column holds when it was set."""
    type(jona).objects.update(joined_at=timezone.now() - timedelta(days=3650))
    visitor = Client()
    answer = visitor.post(
        "/accounts/login/", {"login": jona.email, "password": "moin-moin-nordwind"}
    )
    assert answer["Location"] == "/"
    assert browser(jona).get("/").status_code == 200


@pytest.mark.django_db
def test_codes_and_keys_do_not_follow_from_a_known_seed(jona):
    """They come from the system's source: Python's own would say the same again."""
    found = []
    for _n in range(2):
        random.seed(1)
        found.append(
            (
                get_adapter().generate_login_code(),
                generate_totp_secret(),
                recovery_codes.make(jona, now=timezone.now())[1],
            )
        )
    assert [first == second for first, second in zip(*found, strict=True)] == [False] * 3


def test_code_of_an_authenticator_counts_in_its_own_half_minute():
    secret = generate_totp_secret()
    now = next(yield_hotp_counters_from_time())
    steps = [validate_totp_code(secret, f"{hotp_value(secret, now + n):06}") for n in (-1, 1)]
    assert steps == [False, False]


def test_mailed_code_counts_for_ten_minutes_at_most(settings):
    assert settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT <= 600


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawn().hex,  # the report of an erasure, a takeout
        new_code,  # a certificate
        inquiry.new_nonce,
        talk_request.new_token,
        SessionStore()._get_new_session_key,
    ],
    ids=["erasure", "certificate", "question", "talk", "session"],
)
@pytest.mark.django_db
def test_secret_of_an_address_has_128_bits(draw):
    """At each place as many signs come as the alphabet has; a UUID would have 122 bits."""
    found = [draw() for _n in range(2000)]
    places = zip(*found, strict=True)
    assert sum(math.log2(len(set(place))) for place in places) >= 128


# What may stand in an address although it opens something, and why (ASVS 14.2.1).
_OPENS = {
    "signed": {
        "feed_secret": "closed unless the company sets SECRET_ADDRESSES",
        "training_feed_secret": "closed unless the company sets SECRET_ADDRESSES",
        "talk_feed_secret": "closed unless the company sets SECRET_ADDRESSES",
        "public_picture": "a picture of a post that is public, for the network that fetches it",
    },
    "token": {
        "issue_mail_stop": "ends a mail and shows nothing (RFC 8058)",
        "invitation_no": "ends mails and shows nothing (RFC 8058)",
    },
    "old": dict.fromkeys(
        ("question_old", "talk_asked_old", "takeout_old", "takeout_address_old"),
        "410: says how to go on, and reads nothing",
    ),
    "key": {
        "ask_card": "names a public card",
        "api_card": "names a public card",
        "ask_photo": "names a public card",
        "widget_frame": "stands in public pages",
        "draft": "names one's own row, behind the login",
        "discard": "names one's own row, behind the login",
        "erasure_report": "numbers that name nobody",
        "account_confirm_email": "says whose an address is, once, and logs nobody in",
        "account_reset_password_from_key": "once, half an hour, and the address is left at once",
    },
    "code": {
        "certificate_check": "printed on what one shows around; says valid or not",
        "short_link": "meant for everybody",
    },
}


def _addresses(patterns, before=""):
    for one in patterns:
        route = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from _addresses(one.url_patterns, route)
        else:
            yield one.name, set(re.findall(r"<(?:\w+:)?(\w+)>", route))


def test_what_opens_something_stands_in_no_address_but_these():
    """A new parameter is either a plain name, or has its reason above (ASVS 14.2.1)."""
    plain = {
        *("pk", "slug", "number", "item", "rule", "face", "version", "day", "quarter", "month"),
        *("network", "server", "language", "editor", "role", "rest", "provider_id"),
        *("organization_slug", "uidb36"),
    }
    found = {}
    for name, parts in _addresses(get_resolver().url_patterns):
        for part in parts - plain:
            found.setdefault(part, set()).add(name)
    assert found == {part: set(names) for part, names in _OPENS.items()}


@pytest.mark.django_db
def test_key_of_a_new_password_is_left_behind_at_the_first_look(jona, mailoutbox):
    """The session remembers it, so that the form's address has none."""
    visitor = Client()
    visitor.post("/accounts/password/reset/", {"email": jona.email})
    [link] = re.findall(r"/accounts/password/reset/key/\S+", mailoutbox[0].body)
    key = link.rstrip("/").rpartition("/")[2].partition("-")[2]
    there = visitor.get(link)["Location"]
    assert (len(key) >= 32, key in link, key in there) == (True, True, False)
    assert visitor.get(there).status_code == 200
