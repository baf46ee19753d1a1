"""Programs are told what happened: signed as the specification says, once, and about nobody."""

import base64
import datetime as dt
import itertools
import json
import re
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from ambassadors.models import AuditEntry
from campaigns import briefings, holds, lights, reviews, suggestions
from campaigns.models import Briefing, Suggestion, Variant
from integrations import webhook_sending, webhooks
from integrations.models import Webhook, WebhookEvent, WebhookTelling
from integrations.webhook_signing import headers, new_secret, sign

from .conftest import browser
from .corpus import cases
from .networks.server import Loopback

pytestmark = pytest.mark.django_db
# https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTORS = [
    ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}',
     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
]  # fmt: skip


def example():
    """What docs/api.md gives to receivers."""
    text = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    told = {}
    exec(code, told)  # noqa: S102
    return told


EXAMPLE = example()


def genuine(secret, head, body, *, now):
    """Whether a receiver takes a message; what it cannot read it does not."""
    EXAMPLE["time"] = SimpleNamespace(time=lambda: now)
    try:
        return EXAMPLE["is_genuine"](secret, head, body)
    except (KeyError, ValueError):
        return False


@pytest.mark.parametrize(("message_id", "at", "body", "signature"), VECTORS)
def test_signature_is_that_of_the_specification(message_id, at, body, signature):
    assert sign(SECRET, message_id, at, body) == signature
    head = headers([SECRET], message_id, at, body)
    assert head["webhook-signature"] == signature
    assert genuine(SECRET, head, body, now=at)


@pytest.mark.parametrize("late", [-300, 0, 299, 300])
def test_clocks_may_differ_by_five_minutes(late):
    assert genuine(SECRET, headers([SECRET], "msg_1", 1000, b"{}"), b"{}", now=1000 + late)


@pytest.mark.parametrize(
    "change",
    [{"now": 1301}, {"now": 699}, {"body": b"{ }"}, {"secret": new_secret()},
     {"webhook-id": "msg_2"}, {"webhook-timestamp": "1001"}, {"webhook-timestamp": "x"},
     {"webhook-signature": "v1,AAAA"}, {"webhook-signature": "v2,g0hM"}, {"webhook-signature": ""}],
)  # fmt: skip
def test_what_is_not_ours_is_refused(change):
    head = {
        **headers([SECRET], "msg_1", 1000, b"{}"),
        **{k: v for k, v in change.items() if "-" in k},
    }
    secret, body = change.get("secret", SECRET), change.get("body", b"{}")
    assert not genuine(secret, head, body, now=change.get("now", 1000))


def test_secret_has_the_length_of_the_specification():
    assert 24 <= len(base64.b64decode(new_secret().removeprefix("whsec_"))) <= 64


def test_ten_thousand_signatures_are_refused_quickly():
    head = {**headers([SECRET], "msg_1", 1000, b"{}"), "webhook-signature": "v1,AAAA " * 10_000}
    began = time.monotonic()
    assert not genuine(SECRET, head, b"{}", now=1000)
    assert time.monotonic() - began < 0.5


class Receiver(Loopback):
    """Keeps what arrived; ``statuses`` are the next answers, 200 when there are none."""

    def __init__(self):
        super().__init__()
        self.arrived, self.statuses, self.hang = [], [], 0.0

    def serve(self, handler, at, body):
        time.sleep(self.hang)
        self.arrived.append(({k.lower(): v for k, v in handler.headers.items()}, body))
        status = self.statuses.pop(0) if self.statuses else 200
        said = b"no thanks, \x00\x1b[1m" + b"x" * 500 if status >= 300 else b"ok"
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(said)))
        handler.end_headers()
        handler.wfile.write(said)


@pytest.fixture
def receiver(monkeypatch):
    with Receiver() as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", server.environment()["LOOPBACK_HOSTS"])
        yield server


@pytest.fixture
def boss(person):
    return person("Piet Lorenzen", "administrator")


@pytest.fixture
def hook(receiver, boss):
    row, secret = webhooks.register(
        name="Intranet", url=f"{receiver.base_url}/hook", events=list(webhooks.EVENTS), by=boss,
        now=timezone.now(),
    )  # fmt: skip
    row.secret = secret
    return row


def kinds():
    return list(WebhookEvent.objects.order_by("pk").values_list("kind", flat=True))


# What is told ----------------------------------------------------------------------------------


def test_light_and_hold_are_told_in_their_transaction(hook, mirja, topic):
    now = timezone.now()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lights.change(topic=topic, to="careful", seen="share", why="Wait.", by=mirja, now=now)
        raise ZeroDivisionError
    assert kinds() == []
    topic.refresh_from_db()
    lights.change(topic=topic, to="careful", seen="share", why="Wait.", by=mirja, now=now)
    holds.hold(scope=topic, by=mirja, reason="Stop.", now=now)
    holds.release(scope=topic, by=mirja, now=now)
    assert kinds() == ["light.changed", "hold.begun", "hold.ended"]
    first = json.loads(WebhookEvent.objects.order_by("pk")[0].payload)
    assert first == {
        "type": "light.changed", "timestamp": now.isoformat(),
        "data": {"topic": topic.pk, "light": "careful", "line": "careful", "why": "Wait."},
    }  # fmt: skip


def test_life_of_a_suggestion_is_told_without_its_words(hook, mirja, person, suggestion):
    now, dilan = timezone.now(), person("Dilan Kaya", "curator")
    made = suggestions.save(
        suggestion=Suggestion(topic=suggestion.topic, title="Blades by night", language="en"),
        variants=[Variant(name="P", language="en", text="They came. [where you stood]")],
        seen_revision=0, by=dilan, now=now,
    )  # fmt: skip
    reviews.hand_in(suggestion=made, seen_revision=made.revision, by=dilan, now=now)
    reviews.approve(suggestion=made, seen_revision=made.revision, by=mirja, now=now)
    suggestions.withdraw(suggestion=made, by=mirja, now=now)
    assert kinds() == ["suggestion.approved", "suggestion.withdrawn"]
    assert made.title not in "".join(WebhookEvent.objects.values_list("payload", flat=True))


def test_issue_is_told_when_it_is_out(hook, mirja):
    now = timezone.now()
    issue = Briefing.objects.create(day=briefings.today(now), note="Moin.")
    assert briefings.publish(briefing=issue, seen_revision=1, by=mirja, now=now)
    issue.refresh_from_db()
    assert not briefings.publish(briefing=issue, seen_revision=1, by=mirja, now=now)
    assert kinds() == ["briefing.published"]


def test_events_name_nobody(hook, mirja, suggestion, topic):
    """Every fact of every event is a number, a word of ours or a reason everybody reads."""
    now = timezone.now()
    for kind in webhooks.EVENTS:
        webhooks.tell(kind, {}, now=now)
    holds.hold(scope=suggestion, by=mirja, reason="Stop.", now=now)
    told = "".join(WebhookEvent.objects.values_list("payload", flat=True))
    assert [
        word for word in (mirja.name, mirja.email, str(mirja.evidence_key)) if word in told
    ] == []


def test_only_what_was_chosen_is_told(receiver, boss, mirja, topic):
    webhooks.register(
        name="Months", url=receiver.base_url, events=["month.closed"], by=boss, now=timezone.now()
    )
    holds.hold(scope=topic, by=mirja, reason="Stop.", now=timezone.now())
    assert kinds() == []


# How it leaves ---------------------------------------------------------------------------------


def test_message_arrives_signed_once(hook, receiver):
    now = timezone.now()
    webhooks.tell("month.closed", {"month": "2026-10"}, now=now)
    assert [webhook_sending.send_due(now=now) for _ in range(2)] == [1, 0]
    ((head, body),) = receiver.arrived
    assert genuine(hook.secret, head, body, now=int(now.timestamp()))
    assert (head["content-type"], json.loads(body)["data"]) == (
        "application/json",
        {"month": "2026-10"},
    )
    telling = WebhookTelling.objects.get()
    assert (telling.status, telling.told_at, telling.said, telling.tries) == (200, now, "", 1)


def test_tries_stretch_over_three_days_and_keep_id_and_bytes(hook, receiver):
    receiver.statuses = [500] * 20
    begin = now = timezone.now()
    webhooks.tell("month.closed", {"month": "2026-10"}, now=now)
    moments = []
    while telling := WebhookTelling.objects.filter(
        next_at__isnull=False, webhook__off_at__isnull=True
    ).first():
        now = telling.next_at
        assert webhook_sending.send_due(now=now - dt.timedelta(seconds=1)) == 0
        webhook_sending.send_due(now=now)
        moments.append((now - begin).total_seconds())
    pauses = [b - a for a, b in itertools.pairwise(moments)]
    wanted = [pause.total_seconds() for pause in webhook_sending.PAUSES]
    assert wanted[0] == 5 and wanted[-1] == 86_400
    assert all(0.8 * w <= p <= 1.2 * w for p, w in zip(pauses, wanted, strict=False))
    assert 2.4 * 86_400 < moments[-1] < 4.2 * 86_400
    assert {(head["webhook-id"], body) for head, body in receiver.arrived}.__len__() == 1
    assert len({head["webhook-timestamp"] for head, _ in receiver.arrived}) == len(moments)
    assert len(WebhookTelling.objects.get().said) <= 200
    assert WebhookTelling.objects.get().said.isprintable()


def test_three_days_of_failure_switch_it_off_with_a_mail(hook, receiver, boss):
    now = timezone.now()
    receiver.statuses = [500, 503]
    webhooks.tell("month.closed", {}, now=now)
    webhook_sending.send_due(now=now)
    assert Webhook.objects.get().failing_since == now
    webhooks.tell("month.closed", {}, now=now)
    webhook_sending.send_due(now=now + dt.timedelta(days=3))
    row = Webhook.objects.get()
    assert (row.off_why, len(mail.outbox), mail.outbox[0].to) == ("failing", 1, [boss.email])
    assert f"/system/webhooks/{row.pk}/" in mail.outbox[0].body
    assert not WebhookTelling.objects.filter(next_at__isnull=False).exists()
    webhooks.tell("month.closed", {}, now=now)
    assert WebhookEvent.objects.count() == 2


def test_one_success_forgets_failures(hook, receiver):
    now = timezone.now()
    receiver.statuses = [500]
    webhooks.tell("month.closed", {}, now=now)
    webhook_sending.send_due(now=now)
    webhook_sending.send_due(now=now + dt.timedelta(minutes=5))
    assert (Webhook.objects.get().failing_since, WebhookTelling.objects.get().tries) == (None, 2)


def test_gone_is_off_at_once(hook, receiver):
    receiver.statuses = [410]
    now = timezone.now()
    webhooks.tell("month.closed", {}, now=now)
    webhook_sending.send_due(now=now)
    assert (Webhook.objects.get().off_why, len(mail.outbox)) == ("gone", 1)


@pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500])
def test_anything_but_2xx_is_tried_again(status, hook, receiver):
    receiver.statuses = [status]
    now = timezone.now()
    webhooks.tell("month.closed", {}, now=now)
    assert webhook_sending.send_due(now=now) == 0
    telling = WebhookTelling.objects.get()
    assert (telling.status, telling.told_at, telling.next_at > now) == (status, None, True)
    assert len(receiver.arrived) == 1


def test_silent_address_is_tried_again(hook, receiver):
    Webhook.objects.update(url="http://127.0.0.1:9/")
    now = timezone.now()
    webhooks.tell("month.closed", {}, now=now)
    assert webhook_sending.send_due(now=now) == 0
    telling = WebhookTelling.objects.get()
    assert (telling.status, telling.next_at > now, bool(telling.said)) == (None, True, True)


def test_worker_that_died_leaves_its_try_to_another(hook, receiver):
    now = timezone.now()
    webhooks.tell("month.closed", {}, now=now)
    assert len(webhook_sending._claim(now)) == 1
    assert webhook_sending.send_due(now=now) == 0
    assert webhook_sending.send_due(now=now + dt.timedelta(seconds=61)) == 1


def test_silent_addresses_do_not_outlast_the_lease_of_those_behind_them():
    longest = webhook_sending._AT_ONCE * webhook_sending._SECONDS
    assert longest < webhook_sending._LEASE.total_seconds()


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_message_once(hook, receiver):
    now = timezone.now()
    for number in range(12):
        webhooks.tell("month.closed", {"month": str(number)}, now=now)
    receiver.hang = 0.05
    together = threading.Barrier(3)

    def work():
        together.wait()
        webhook_sending.send_due(now=now)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    webhook_sending.send_due(now=now)
    ids = [head["webhook-id"] for head, _ in receiver.arrived]
    assert (len(ids), len(set(ids))) == (12, 12)


# Secrets ---------------------------------------------------------------------------------------


def test_secret_changes_with_both_signing_for_a_day(hook, receiver, boss):
    now = timezone.now()
    new = webhooks.rotate(webhook=hook, by=boss, now=now)
    assert new != hook.secret
    for at, good in ((now, [hook.secret, new]), (now + webhooks.OVERLAP, [new])):
        webhooks.tell("month.closed", {}, now=at)
        webhook_sending.send_due(now=at)
        head, body = receiver.arrived[-1]
        assert len(head["webhook-signature"].split()) == len(good)
        for secret in good:
            assert genuine(secret, head, body, now=int(at.timestamp()))
    assert not genuine(hook.secret, head, body, now=int(at.timestamp()))


def test_secret_stands_nowhere_but_sealed(hook, boss):
    row = Webhook.objects.values().get()
    assert hook.secret not in str(row)
    assert hook.secret not in str(list(AuditEntry.objects.values()))
    assert b"whsec" not in bytes(row["sealed"])


def test_sealed_secret_of_another_row_signs_nothing(hook, receiver, boss):
    other, _secret = webhooks.register(
        name="Other", url=receiver.base_url, events=["month.closed"], by=boss, now=timezone.now()
    )
    Webhook.objects.filter(pk=hook.pk).update(sealed=other.sealed)
    Webhook.objects.filter(pk=other.pk).delete()
    now = timezone.now()
    webhooks.tell("month.closed", {}, now=now)
    assert (webhook_sending.send_due(now=now), receiver.arrived) == (0, [])


# Its pages -------------------------------------------------------------------------------------


def test_only_administrators_see_them(jona, mirja, hook):
    for visitor in (jona, mirja):
        for path in ("/system/webhooks/", f"/system/webhooks/{hook.pk}/"):
            assert browser(visitor).get(path).status_code == 403


def test_address_is_registered_and_its_secret_shown_once(boss):
    visitor = browser(boss)
    page = visitor.post(
        "/system/webhooks/",
        {"name": "Wiki", "url": "https://wiki.example/h", "events": ["hold.begun"]},
    )
    row = Webhook.objects.get()
    (secret,) = webhooks.secrets_of(row, now=timezone.now())
    assert secret in page.content.decode()
    assert secret not in visitor.get(f"/system/webhooks/{row.pk}/").content.decode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"name": ""}, "name"), ({"url": "http://wiki.example/"}, "url"), ({"url": ""}, "url"),
     ({"events": []}, "events"), ({"events": ["nonsense"]}, "events"), ({"name": "x" * 81}, "name"),
     ({"url": "https://wiki.example/" + "x" * 1990}, "url")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_beside_its_field(typed, field, boss):
    whole = {"name": "Wiki", "url": "https://wiki.example/h", "events": ["hold.begun"], **typed}
    page = browser(boss).post("/system/webhooks/", whole)
    assert (page.status_code, Webhook.objects.count()) == (422, 0)
    assert f'id="{field}-e"' in page.content.decode()


@pytest.mark.parametrize("case", cases("ssrf"))
def test_addresses_of_the_corpus_are_never_registered(case, boss):
    if case["expect"] != "block" or case.get("redirects") or not isinstance(case.get("value"), str):
        pytest.skip("may be reached, or leads elsewhere by an answer that we do not follow")
    with pytest.raises(webhooks.WebhookRefused):
        webhooks.register(
            name="x", url=case["value"], events=["hold.begun"], by=boss, now=timezone.now()
        )


@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe"]
)
def test_name_that_leads_inside_is_never_reached(inside, boss, monkeypatch):
    """It may have led elsewhere when it was registered."""
    now, asked = timezone.now(), []
    webhooks.register(
        name="x", url="https://wiki.example/", events=["hold.begun"], by=boss, now=now
    )
    found = [(2, 1, 6, "", (inside, 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr("socket.create_connection", lambda *a, **_: asked.append(a))
    webhooks.tell("hold.begun", {}, now=now)
    assert (webhook_sending.send_due(now=now), asked) == (0, [])
    assert "may not be reached" in WebhookTelling.objects.get().said


def test_page_sends_again_tries_out_switches_and_removes(hook, receiver, boss):
    visitor, path = browser(boss), f"/system/webhooks/{hook.pk}/"
    visitor.post(f"{path}act/", {"act": "try"})
    now = timezone.now()
    assert webhook_sending.send_due(now=now) == 1
    telling = WebhookTelling.objects.get()
    visitor.post(f"{path}act/", {"act": "again", "telling": telling.pk})
    assert webhook_sending.send_due(now=timezone.now()) == 1
    assert len({head["webhook-id"] for head, _ in receiver.arrived}) == 1
    assert "webhook.test" in visitor.get(path).content.decode()
    visitor.post(f"{path}act/", {"act": "off"})
    assert Webhook.objects.get().off_why == "asked"
    visitor.post(f"{path}act/", {"act": "again", "telling": telling.pk})
    assert webhook_sending.send_due(now=timezone.now()) == 0
    visitor.post(f"{path}act/", {"act": "on"})
    assert Webhook.objects.get().off_at is None
    assert visitor.post(f"{path}act/", {"act": "again", "telling": "nonsense"}).status_code == 404
    visitor.post(f"{path}act/", {"act": "remove"})
    assert (Webhook.objects.count(), WebhookTelling.objects.count()) == (0, 0)


def test_page_of_one_and_three(hook, boss, django_assert_num_queries):
    visitor, now = browser(boss), timezone.now()
    webhooks.tell("month.closed", {}, now=now)
    visitor.get(f"/system/webhooks/{hook.pk}/")
    with django_assert_num_queries(7):
        visitor.get(f"/system/webhooks/{hook.pk}/")
    for _number in range(2):
        webhooks.tell("month.closed", {}, now=now)
    with django_assert_num_queries(7):
        page = visitor.get(f"/system/webhooks/{hook.pk}/").content.decode()
    assert page.count('value="again"') == 3
