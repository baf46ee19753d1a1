"""In a browser: a key is made, read once and ended; the description opens; a webhook is registered."""

import pytest

from integrations.models import ApiToken, Webhook

from .test_loop import chromium  # noqa: F401 - a fixture
from .test_walks import visit  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


def test_key_is_made_read_and_ended(visit, person):
    mine = visit(person("Mirja Thomsen", "curator"))
    mine.look("/programs/", "keys")
    page = mine.page
    page.get_by_role("button", name="Make a key").click()
    assert page.get_by_role("alert").inner_text().startswith("Say what the key is for")
    page.get_by_label("What it is for").fill("Intranet")
    page.get_by_label("Read topics").check()
    page.get_by_label("Put something on hold").check()
    page.get_by_role("button", name="Make a key").click()
    assert page.locator(".keyonce").inner_text().startswith("bot_")
    mine.look(None, "key")
    assert ApiToken.objects.get().scopes == ["holds:write", "topics:read"]
    page.get_by_role("button", name="End it Intranet").click()
    page.get_by_text("opens nothing any more").wait_for()
    mine.look("/programs/docs/", "api")
    page.locator("summary", has_text="/topics/{id}/light").click()
    page.get_by_text("A hold is not a light").wait_for()
    mine.look(None, "api-open")


def test_webhook_is_registered_and_tried(visit, person):
    boss = visit(person("Piet Lorenzen", "administrator"))
    boss.look("/system/webhooks/", "webhooks")
    page = boss.page
    page.get_by_label("What it is for").fill("Intranet")
    page.get_by_label("Address", exact=True).fill("https://intranet.example.com/hook")
    page.get_by_label("A hold began").check()
    page.get_by_role("button", name="Register it").click()
    assert page.locator(".keyonce").inner_text().startswith("whsec_")
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("about to leave").wait_for()
    boss.look(None, "webhook")
    page.locator("summary", has_text="Remove it").click()
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("Intranet is removed.").wait_for()
    assert not Webhook.objects.exists()
