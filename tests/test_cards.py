"""Contact cards: what strangers see, and that it is gone the moment it should be."""

import pytest
from django.test import Client
from django.utils import timezone

from ambassadors import absences, consents, memberships
from ambassadors.models import Membership, Site, Team, TeamKind
from campaigns import leaving
from reception import cards
from reception.models import ContactCard, JobArea

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk_of_contacts(db):
    kind = TeamKind.objects.create(
        slug="contact", behaviour="contact", name_de="Kontakter", name_en="Contacts"
    )
    return Team.objects.create(slug="ask", name="Ask us", kind=kind)


@pytest.fixture
def areas(db):
    return [
        JobArea.objects.create(slug=slug, name_de=slug, name_en=slug.title(), position=at)
        for at, slug in enumerate(("office", "assembly"))
    ]


def written(**changes):
    given = {
        "sentence_de": "", "sentence_en": "I was afraid of heights.", "job": "Assembly",
        "picture": "t-helm", "languages": ["en", "de"], "areas": [], "sites": [], "hours": "",
        "extension": "", "shows_address": False,
    }  # fmt: skip
    return cards.Written(**given | changes)


@pytest.fixture
def contact(person, desk_of_contacts):
    """Somebody with a public card."""

    def make(name="Łukasz Wrona", *, public=True, **changes):
        who, now = person(name), timezone.now()
        memberships.begin(person=who, team=desk_of_contacts, stage="active", by=None, now=now)
        cards.save(by=who, written=written(**changes), now=now)
        if public:
            cards.publish(by=who, now=now)
        return who

    return make


def look(path="/ask/", **headers):
    return Client(headers=headers).get(path)


def seen(page):
    return [card.name for card in page.context["cards"]]


def test_page_shows_cards_with_a_yes_only(contact):
    contact("Frauke Petersen")
    contact("Nam Vu", public=False)
    page = look()
    assert (seen(page), "Nam Vu" in page.content.decode()) == (["Frauke Petersen"], False)


@pytest.mark.parametrize("how", ["withdraw", "leave", "term", "pause_term", "locked"])
def test_card_is_gone_at_once_everywhere(contact, how):
    who, now = contact(), timezone.now()
    address = f"/ask/card/{ContactCard.objects.get().key}/"
    assert (seen(look()), look(address).status_code) == (["Łukasz Wrona"], 200)
    term = Membership.objects.filter(person=who)
    if how == "withdraw":
        cards.withdraw(by=who, now=now)
    elif how == "leave":
        leaving.leave(person=who, by=None, now=now)
    elif how == "term":
        memberships.end(membership=term.get(), by=None, now=now)
    elif how == "locked":
        type(who).objects.filter(pk=who.pk).update(is_active=False)
    else:
        memberships.move(membership=term.get(), to="paused", by=None, now=now)
    pages = [look(), look(address), look(f"{address}photo/")]
    assert [page.status_code for page in pages] == [200, 404, 404]
    assert [b"ukasz" in page.content for page in pages] == [False, False, False]


def test_member_of_another_kind_of_team_has_no_public_card(contact, desk_of_contacts):
    contact()
    TeamKind.objects.update(behaviour="expert")
    assert seen(look()) == []


def test_no_page_sets_a_cookie_or_may_be_kept(contact):
    contact()
    key = ContactCard.objects.get().key
    gone = ("/ask/card/none/", "/ask/card/none/photo/", "/ask/widget/none/", "/ask/question/old/")
    for path in ("/ask/", "/ask/?area=x", f"/ask/card/{key}/", *gone):
        page = look(path)
        assert (page.cookies.output(), page["Cache-Control"]) == ("", "no-store")
        assert page["X-Robots-Tag"] == "noindex, nofollow"


def test_search_engines_are_let_in_by_a_setting(contact, settings):
    settings.PUBLIC_INDEXED = True
    page = look()
    assert ("X-Robots-Tag" in page, b'name="robots"' in page.content) == (False, False)


@pytest.mark.parametrize(
    ("path", "accepts", "language"),
    [
        ("/ask/", "de-DE,de;q=0.9", "de"),
        ("/ask/", "en", "en"),
        ("/ask/?lang=en", "de", "en"),
        ("/ask/?lang=de", "en", "de"),
        ("/ask/?lang=xx", "en", "en"),
    ],
)
def test_language_follows_the_address_and_then_the_browser(contact, path, accepts, language):
    contact()
    page = look(path, accept_language=accepts)
    assert f'<html lang="{language}">' in page.content.decode()
    carried = f"?lang={path[-2:]}" if path[-2:] in {"de", "en"} else ""
    assert f'/card/{ContactCard.objects.get().key}/{carried}"' in page.content.decode()


def test_sentence_in_another_language_says_so(contact):
    contact(sentence_en="", sentence_de="Ich hatte Höhenangst.")
    assert 'class="said" lang="de">Ich hatte' in look(accept_language="en").content.decode()


def test_areas_filter_and_name_only_what_somebody_knows(contact, areas):
    contact("Frauke Petersen", areas=[areas[0]])
    contact("Nam Vu")
    page = look("/ask/?area=office")
    assert (seen(page), page.context["areas"]) == (["Frauke Petersen"], [areas[0]])
    assert seen(look("/ask/?area=assembly")) == ["Frauke Petersen", "Nam Vu"]


def test_who_rests_or_is_away_is_not_asked(contact):
    resting, away, deputy = contact("Frauke"), contact("Nam"), contact("Samira")
    now = timezone.now()
    cards.rest(card=ContactCard.objects.get(person=resting), resting=True, by=resting, now=now)
    absences.go(by=away, deputy=deputy, until_on=timezone.localdate(), now=now)
    found = {card.name: card.rests for card in look().context["cards"]}
    assert found == {"Frauke": True, "Nam": True, "Samira": False}


def test_page_asks_the_same_number_of_questions_for_one_and_three(
    contact, areas, django_assert_num_queries
):
    site = Site.objects.create(slug="s", name="Süderkoog")
    contact("Frauke", areas=areas, sites=[site])
    with django_assert_num_queries(6):
        look()
    contact("Nam", areas=areas, sites=[site])
    contact("Samira", areas=areas, sites=[site])
    with django_assert_num_queries(6):
        look()


def test_photo_needs_a_yes_of_its_own(contact):
    who = contact()
    card = ContactCard.objects.get()
    cards.put_photo(card=card, content=_jpeg(), by=who, now=timezone.now())
    address = f"/ask/card/{card.key}/photo/"
    assert (look(address).status_code, look(address)["Content-Type"]) == (200, "image/jpeg")
    assert len(look(f"{address}?small").content) < 6_000
    consents.withdraw(person=who, purpose="photo", now=timezone.now())
    page = look()
    assert (look(address).status_code, page.context["cards"][0].has_photo) == (404, False)


def _jpeg():
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((900, 900), 80).convert("RGB").save(out, "JPEG")
    return out.getvalue()
