"""Replies by mail: what programmes write, what machines send, and what nobody should send."""

import io
import sys
import time
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from django.core.management import call_command
from django.utils import timezone

from reception import letters, replies, tokens
from reception.models import Inquiry

from .test_cards import contact, desk_of_contacts  # noqa: F401 - fixtures
from .test_inquiries import asked

pytestmark = pytest.mark.django_db


@pytest.fixture
def inquiry(contact, settings):
    settings.MAIL_DOMAIN = "ask.example.com"
    contact()
    return asked()


def reply(inquiry, text="In winter, too?", **headers):
    message = EmailMessage()
    message["From"] = headers.pop("From", "Kim <kim@example.org>")
    message["To"] = headers.pop("To", tokens.reply_to(inquiry))
    message["Message-ID"] = headers.pop("Message_ID", "<abc@mail.example.org>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def take(message):
    raw = message if isinstance(message, bytes) else message.as_bytes()
    return replies.take(BytesParser(policy=policy.default).parsebytes(raw), now=timezone.now())


def said(inquiry):
    return [m.text for m in inquiry.messages.filter(who="asker")][1:]


def test_reply_joins_its_conversation_once(inquiry):
    message = reply(inquiry)
    assert (take(message), take(message), said(inquiry)) == (True, True, ["In winter, too?"])
    assert not inquiry.messages.last().other_sender
    take(reply(inquiry, "And I.", From="eve@example.com", Message_ID="<x@y>"))
    assert inquiry.messages.last().other_sender


QUOTED = f"{letters.ABOVE['en']}\n\nEighty metres.\n\n-- \nThe whole conversation:\nhttps://x"


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!\n\nOn Tue, 24 Nov 2026 at 10:12, Łukasz <q+x@a.example> wrote:\n> "
        + QUOTED.replace("\n", "\n> "),
        "Thanks!\n\nOn Tue, 24 Nov 2026 at 10:12, Łukasz, Nordwind\n<q+x@a.example> wrote:\n\n> Eighty metres.",
        "Thanks!\n\nAm 24.11.26 um 10:12 schrieb Łukasz:\n> Eighty metres.",
        "Thanks!\n\n-----Ursprüngliche Nachricht-----\nVon: Łukasz\n" + QUOTED,
        "Thanks!\n\n________________________________\nFrom: Łukasz <x@y>\nSent: Tuesday\nTo: Kim\n\nEighty metres.",
        "Thanks!\n\nVon: Łukasz <x@y>\nGesendet: Dienstag\nAn: Kim\nBetreff: Re\n\nEighty metres.",
        "Thanks!\n\nSent from my phone\n\n> Eighty metres.",
        "Thanks!\n-- \nKim Example\n+49 000",
        "> Eighty metres.\n\nThanks!",
        "Thanks!\n\n" + QUOTED,
        "Thanks!\r\n\r\nLe mar. 24 nov. 2026 à 10:12, Łukasz <x@y> a écrit :\r\n> x",
    ],
)
def test_only_what_is_new_is_kept(inquiry, text):
    take(reply(inquiry, text))
    assert said(inquiry) == ["Thanks!"]


def test_html_mail_is_read_without_its_quotation(inquiry):
    message = reply(inquiry)
    message.set_content(
        "<html><head><style>p{color:red}</style></head><body><p>Thanks &amp; see<br>you</p>"
        '<script>alert(1)</script><div class="gmail_quote">On Tue wrote:'
        "<blockquote>Eighty metres.</blockquote></div></body></html>",
        subtype="html",
    )
    take(message)
    assert said(inquiry) == ["Thanks & see\nyou"]


@pytest.mark.parametrize("charset", ["utf-8", "x-unknown", "us-ascii", "utf-16", "iso-8859-1"])
def test_charset_may_lie(inquiry, charset):
    raw = (
        f"From: kim@example.org\nTo: {tokens.reply_to(inquiry)}\nMIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n"
    ).encode() + "Grüße".encode()
    assert (take(raw), len(said(inquiry))) == (True, 1)


def test_attachments_are_dropped_with_a_sentence(inquiry, client):
    message = reply(inquiry, "My certificate.")
    for n in range(2):
        message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename=f"{n}.pdf")
    take(message)
    code = {"code": tokens.token(inquiry, "page")}
    page = client.post("/ask/question/?lang=en", code)
    assert "2 attachments came along; attachments are not kept." in page.content.decode()


def test_long_reply_is_cut_and_says_so(inquiry):
    take(reply(inquiry, "x" * 50_000))
    last = inquiry.messages.last()
    assert (len(last.text), last.was_cut) == (10_000, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; x=y"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"List_Id": "<l.example.org>"},
    ],
)
def test_machines_are_heard_and_not_answered(inquiry, headers):
    assert (take(reply(inquiry, **headers)), said(inquiry)) == (True, [])
    assert take(reply(inquiry, Auto_Submitted="no"))
    assert said(inquiry) == ["In winter, too?"]


def test_mail_for_somebody_else_is_not_ours(inquiry):
    assert not take(reply(inquiry, To="press@ask.example.com"))


def test_address_in_capitals_and_other_headers_are_found(inquiry):
    address = tokens.reply_to(inquiry).upper()
    assert take(reply(inquiry, To="Undisclosed <u@example.org>", Delivered_To=address))
    assert len(said(inquiry)) == 1


@pytest.mark.parametrize("kind", ["forged", "page", "deleted"])
def test_unknown_address_is_refused(inquiry, kind):
    token = {"forged": "a" * 42, "page": tokens.token(inquiry, "page")}.get(kind)
    message = reply(inquiry, **({"To": f"q+{token}@ask.example.com"} if token else {}))
    if kind == "deleted":
        Inquiry.objects.all().delete()
    with pytest.raises(replies.NoSuchQuestion):
        take(message)


def test_empty_reply_leads_to_nothing(inquiry):
    assert (take(reply(inquiry, "> only a quotation\n\n")), said(inquiry)) == (True, [])


def command(raw, monkeypatch, *args):
    class Stdin:
        buffer = io.BytesIO(raw)

    monkeypatch.setattr(sys, "stdin", Stdin)
    errors = io.StringIO()
    try:
        call_command("receive_mail", *args, stderr=errors)
    except SystemExit as ended:
        return ended.code, errors.getvalue().strip()
    return 0, ""


def test_command_answers_the_mail_server(inquiry, monkeypatch):
    assert command(reply(inquiry).as_bytes(), monkeypatch) == (0, "")
    assert said(inquiry) == ["In winter, too?"]
    hidden = reply(inquiry, "By envelope.", To="x@example.org", Message_ID="<b@b>").as_bytes()
    assert command(hidden, monkeypatch, tokens.reply_to(inquiry)) == (0, "")
    assert len(said(inquiry)) == 2
    nobody = reply(inquiry, To=f"q+{'b' * 42}@ask.example.com").as_bytes()
    assert command(nobody, monkeypatch)[0] == 67
    assert command(reply(inquiry, To="x@example.org").as_bytes(), monkeypatch)[0] == 67
    assert command(b"", monkeypatch)[0] == 67
    assert command(b"\x00\xff" * 1000, monkeypatch)[0] == 67


def bomb(inquiry, depth):
    parts = [f"From: k@example.org\nTo: {tokens.reply_to(inquiry)}\nMIME-Version: 1.0\n".encode()]
    for n in range(depth):
        parts.append(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n'.encode())
    return b"".join(parts) + b"Content-Type: text/plain\n\nhi\n"


def test_bombs_and_giants_are_refused_quickly(inquiry, monkeypatch):
    began = time.monotonic()
    assert command(bomb(inquiry, 5_000), monkeypatch)[0] == 65
    assert command(bomb(inquiry, 59) + b"x" * 5_000_000, monkeypatch)[0] in {0, 65}
    many = reply(inquiry)
    for _n in range(300):
        many.add_attachment(b"x", maintype="a", subtype="b")
    assert command(many.as_bytes(), monkeypatch)[0] == 65
    assert command(b"x" * 25_000_001, monkeypatch)[0] == 65
    giant = reply(inquiry, "With a film.")
    giant.add_attachment(b"\x00" * 7_000_000, maintype="video", subtype="mp4", filename="a.mp4")
    assert command(giant.as_bytes(), monkeypatch)[0] == 0
    assert inquiry.messages.last().dropped == 1
    assert time.monotonic() - began < 20
