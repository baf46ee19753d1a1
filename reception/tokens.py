"""Codes that open one question and nothing else: the asker's page, and where replies go.

Both are made from the row's nonce and our secret, so neither a dump of the database nor a look at
another question's code opens one. They end with the row.
"""

import base64
import hmac
import re

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from .models import Inquiry

_NONCE, _SIGNED = 26, 16
_SHAPE = re.compile(rf"[a-z2-7]{{{_NONCE + _SIGNED}}}")
_REPLY = re.compile(rf"(?<![\w.+-])q\+([a-z2-7]{{{_NONCE + _SIGNED}}})@", re.IGNORECASE)


def _sign(nonce: str, purpose: str, secret: str | bytes) -> str:
    digest = salted_hmac(f"reception.{purpose}", nonce, secret=secret, algorithm="sha256").digest()
    return base64.b32encode(digest[:10]).decode().lower()


def token(inquiry: Inquiry, purpose: str) -> str:
    """The signed name of a question for a purpose: ``page`` or ``mail``."""
    return inquiry.nonce + _sign(inquiry.nonce, purpose, settings.SECRET_KEY)


def find(text: str, purpose: str) -> Inquiry | None:
    """The question that a token names; None for a forged one, or when it was deleted."""
    if not _SHAPE.fullmatch(text):
        return None
    nonce, signed = text[:_NONCE], text[_NONCE:]
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(_sign(nonce, purpose, one), signed) for one in secrets):
        return None
    return Inquiry.objects.filter(nonce=nonce).first()


def typed(text: str) -> Inquiry | None:
    """The question of a page's code, as somebody typed it or within a link they pasted."""
    found = _SHAPE.findall("".join(text.split()))
    return find(found[-1], "page") if found else None


def page(inquiry: Inquiry) -> str:
    """The link to the asker's page, its code behind the ``#``."""
    path = reverse("question_page")
    return f"{settings.SITE_URL}{path}?lang={inquiry.language}#{token(inquiry, 'page')}"


def reply_to(inquiry: Inquiry) -> str:
    """Where the asker's reply comes in; empty where no mail does."""
    domain = settings.MAIL_DOMAIN
    return f"q+{token(inquiry, 'mail')}@{domain}" if domain else ""


def in_address(addresses: str) -> str:
    """The token of the first reply address in a header's text; empty when there is none."""
    found = _REPLY.search(addresses)
    return found[1].lower() if found else ""
