"""Notifications: the RFCs' examples, subscriptions that we would not write to, and a push service."""

import datetime as dt
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from ambassadors.models import TimeOff
from campaigns import holds, leaving, pushes, reaching
from campaigns.models import Briefing, BriefingItem, Reached, ReachWish
from integrations import push, rotation, webpush
from integrations.models import PushDevice, PushKey

from .conftest import _allow, browser
from .networks.push import PushService, is_signed
from .test_issues import TUESDAY, at

pytestmark = pytest.mark.django_db
# RFC 8291, appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
BROWSER = webpush.Browser(
    webpush.unpack(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    ),
    webpush.unpack("BTBZMqHH6r4Tts7J_aSIgg"),
)
OWN = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6"
    "TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulc"
    "y4a-fN"
)
# RFC 8292, 2.4.
SIGNED = (
    "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJl"
    "eHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HL"
    "GkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, "
    "k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
)
GOOD = "https://fcm.googleapis.com/fcm/send/abc"


def own():
    return ec.derive_private_key(int.from_bytes(webpush.unpack(OWN), "big"), ec.SECP256R1())


def test_example_of_rfc_8291_comes_out_byte_by_byte():
    salt = webpush.unpack("DGv6ra1nlYgDCS1FRnbzlw")
    assert webpush.pack(webpush.encrypt(PLAIN, BROWSER, own=own(), salt=salt)) == SEALED


def test_example_of_rfc_8292_is_signed_and_a_changed_one_is_not():
    assert is_signed(SIGNED)
    assert not is_signed(SIGNED.replace("i3CYb7t4", "i3CYb7t5"))


def test_header_says_what_the_example_of_rfc_8292_says():
    made = webpush.authorization(
        "https://push.example.net", key=own(), contact="mailto:push@example.com", ends=1453523768
    )
    assert made.rpartition(".")[0] == SIGNED.rpartition(", ")[0].rpartition(".")[0]
    assert is_signed(made)


def test_every_message_has_its_own_key_and_salt():
    one, two = webpush.encrypt(PLAIN, BROWSER), webpush.encrypt(PLAIN, BROWSER)
    assert (one[:16] != two[:16], one[21:86] != two[21:86], len(one) == len(two)) == (True,) * 3


def test_longest_text_fills_one_record_and_no_more():
    assert len(webpush.encrypt(b"x" * webpush.LONGEST, BROWSER)) == 4096
    with pytest.raises(ValueError, match="too long"):
        webpush.encrypt(b"x" * (webpush.LONGEST + 1), BROWSER)


# Subscriptions -------------------------------------------------------------------------------


@pytest.fixture
def service(monkeypatch):
    with PushService() as made:
        _allow(monkeypatch, made)
        yield made


KEYS = {"p256dh": webpush.pack(BROWSER.public), "auth": webpush.pack(BROWSER.auth)}


@pytest.mark.parametrize(
    "endpoint",
    [
        "", "http://fcm.googleapis.com/x", "https://127.0.0.1/x", "https://169.254.169.254/latest",
        "https://[::1]/x", "https://localhost/x", "https://redis:6379/", "https://example.org/push",
        "https://fcm.googleapis.com.example.org/x", "https://fcm.googleapis.com@10.0.0.1/x",
        "https://evilpush.apple.com.example/x", "https://xpush.services.mozilla.com:8443/x",
        "https://8.8.8.8/x", "file:///etc/passwd", "https://fcm.googleapis.com/" + "x" * 2000,
        "https://fcm.googleapis.com/a\r\nHost: x",
    ],
)  # fmt: skip
def test_address_that_is_no_push_service_is_refused(jona, endpoint):
    answer = browser(jona).post("/me/device/push/", {"endpoint": endpoint, **KEYS})
    assert (answer.status_code, PushDevice.objects.count()) == (422, 0)
    assert answer.json()["said"]


@pytest.mark.parametrize(
    "keys",
    [
        {"p256dh": "", "auth": ""}, {"p256dh": "€€", "auth": KEYS["auth"]},
        {"p256dh": webpush.pack(b"\x04" + b"\x01" * 64), "auth": KEYS["auth"]},
        {"p256dh": KEYS["p256dh"], "auth": "AAAA"}, {"p256dh": "A" * 100_000, "auth": "x"},
    ],
)  # fmt: skip
def test_keys_that_are_none_are_refused(jona, keys):
    answer = browser(jona).post("/me/device/push/", {"endpoint": GOOD, **keys})
    assert (answer.status_code, PushDevice.objects.count()) == (422, 0)


@pytest.mark.parametrize(
    "host", ["fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com"]
)
def test_push_services_of_browsers_are_taken_and_nothing_lies_open(jona, host):
    endpoint = f"https://{host}/secret-part"
    answer = browser(jona).post("/me/device/push/", {"endpoint": endpoint, **KEYS})
    row = PushDevice.objects.get()
    assert (answer.status_code, row.person) == (204, jona)
    assert b"secret-part" not in bytes(row.sealed) + row.digest.encode()
    assert ReachWish.objects.get().at is None  # holds only, until the day's message is chosen


def test_push_is_off_until_switched_on(jona):
    page = browser(jona).get("/me/reach/").text
    assert "Notification on a device" not in page
    assert (PushDevice.objects.count(), ReachWish.objects.count()) == (0, 0)


def test_stranger_gets_no_key_and_registers_nothing(client):
    assert client.get("/me/device/push/").status_code == 302
    assert client.post("/me/device/push/", {"endpoint": GOOD, **KEYS}).status_code == 302
    assert PushDevice.objects.count() == 0


def test_key_is_made_once_sealed_and_survives_a_new_first_key(jona, settings):
    key = browser(jona).get("/me/device/push/").json()["key"]
    assert len(webpush.unpack(key)) == 65
    before = PushKey.objects.get()
    assert b"PRIVATE" not in bytes(before.sealed)
    fresh = "bmV3LWtleS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2Q="
    settings.TOKEN_KEYS = [fresh, *settings.TOKEN_KEYS]
    list(rotation.rotate())
    assert PushKey.objects.get().key_id != before.key_id
    settings.TOKEN_KEYS = [fresh]
    assert push.public_key(now=timezone.now()) == key


def register(who, *names, on):
    made = [on.subscribe(name) for name in names]
    for one in made:
        pushes.switch_on(by=who, **one.form, now=at(6))
    return made


def test_device_changes_hands_and_is_one_persons_only(service, jona, mirja):
    [phone] = register(jona, "phone", on=service)
    pushes.switch_on(by=mirja, **phone.form, now=at(7))
    assert list(PushDevice.objects.values_list("person__name", flat=True)) == ["Mirja Thomsen"]
    assert not push.unregister(by=jona, endpoint=phone.endpoint)


def test_eleventh_device_takes_the_place_of_the_oldest(service, jona):
    devices = register(jona, *(f"d{n}" for n in range(11)), on=service)
    assert PushDevice.objects.count() == 10
    assert not push.unregister(by=jona, endpoint=devices[0].endpoint)


def test_last_device_that_goes_ends_the_way(service, jona):
    phone, desk = register(jona, "phone", "desk", on=service)
    mine = browser(jona)
    for device, left in ((phone, 1), (desk, 0)):
        form = {"act": "off", "endpoint": device.endpoint}
        assert mine.post("/me/device/push/", form).status_code == 204
        assert ReachWish.objects.filter(way="push").count() == left


def test_switching_on_another_device_leaves_the_chosen_time(service, jona):
    register(jona, "phone", on=service)
    reaching.wish(by=jona, way="push", at=dt.time(8), now=at(6))
    register(jona, "desk", on=service)
    assert ReachWish.objects.get().at == dt.time(8)


# Messages ------------------------------------------------------------------------------------


@pytest.fixture
def out(topic):
    issue = Briefing.objects.create(day=TUESDAY, published_at=at(6))
    BriefingItem.objects.create(briefing=issue, topic=topic, position=0)
    return issue


@pytest.fixture
def daily(service, jona, out):
    """Jona has the day's message on a phone."""
    [phone] = register(jona, "phone", on=service)
    reaching.wish(by=jona, way="push", at=dt.time(7, 30), now=at(6))
    return phone


def test_day_is_told_once_on_every_device_and_says_nothing_private(service, jona, daily, topic):
    register(jona, "desk", on=service)
    assert [pushes.send_due(now=at(8)) for _ in range(2)] == [1, 0]
    assert sorted(path for path, *_ in service.got) == ["/send/desk", "/send/phone"]
    _path, told, sent = service.got[0]
    assert told == {
        "title": "Botschaft", "body": "Today’s situation is out.", "url": "/", "tag": "day",
    }  # fmt: skip
    assert (sent["ttl"], sent["topic"], sent["urgency"]) == ("28800", "day", "normal")
    assert topic.title not in json.dumps(told)


def test_hold_is_told_without_its_name(service, jona, topic, mirja, suggestion, account_on, mastodon, queue):  # fmt: skip
    delivery = queue(jona, account_on(jona, mastodon), due_at=timezone.now() + dt.timedelta(days=1))
    type(delivery.post).objects.update(created_at=at(12) - dt.timedelta(days=1))
    holds.hold(scope=topic, by=mirja, reason="We wait for the fire brigade.", now=at(7, 45))
    register(jona, "phone", on=service)
    assert [pushes.send_due(now=at(8)) for _ in range(2)] == [1, 0]
    [(_path, told, sent)] = service.got
    assert told["body"] == "A topic you wrote about is on hold."
    assert "Wind" not in json.dumps(told)
    assert "fire" not in json.dumps(told)
    assert sent["urgency"] == "high"


@pytest.mark.parametrize(
    ("now", "fields", "hours_kept"),
    [
        (at(8), {}, 8),
        (at(17, 30), {}, 1.5),
        (at(17, 30), {"timezone": "Asia/Kolkata", "quiet_from_hour": 23, "quiet_until_hour": 7}, 1),
        (at(18, 59), {}, 0),
        (at(17, 30), {"quiet_from_hour": 22, "quiet_until_hour": 6}, 4.5),
        (at(17, 30), {"quiet_from_hour": 5, "quiet_until_hour": 5}, 8),
    ],
)
def test_phone_that_was_off_does_not_ring_in_quiet_hours(
    service, jona, daily, now, fields, hours_kept
):
    type(jona).objects.update(**fields)
    assert pushes.send_due(now=now) == 1
    [(_path, _told, sent)] = service.got
    most = 8 * 3600
    assert int(sent["ttl"]) == min(
        most, max(0, hours_kept * 3600 - (0 if hours_kept == 8 else 120))
    )


def test_hold_does_not_ring_in_a_time_off_that_begins_tomorrow(
    service, jona, topic, mirja, account_on, mastodon, queue
):
    delivery = queue(jona, account_on(jona, mastodon), due_at=timezone.now() + dt.timedelta(days=1))
    type(delivery.post).objects.update(created_at=at(12) - dt.timedelta(days=1))
    holds.hold(scope=topic, by=mirja, reason="Wait.", now=at(7, 45))
    register(jona, "phone", on=service)
    type(jona).objects.update(quiet_from_hour=5, quiet_until_hour=5)
    tomorrow = TUESDAY + dt.timedelta(days=1)
    TimeOff.objects.create(
        person=jona, from_on=tomorrow, until_on=tomorrow, posts="move", said_at=at(6)
    )
    pushes.send_due(now=at(8))
    [(_path, _told, sent)] = service.got
    assert int(sent["ttl"]) == 16 * 3600 - 120


def test_german_reads_german(service, jona, daily):
    type(jona).objects.update(language="de")
    pushes.send_due(now=at(8))
    assert service.texts() == ["Die Lage von heute ist da."]


@pytest.mark.parametrize("status", [404, 410, 401, 403])
def test_device_that_is_gone_is_forgotten_and_the_way_says_so(service, jona, daily, status):
    service.answers[daily.path] = status
    assert pushes.send_due(now=at(8)) == 0
    assert PushDevice.objects.count() == 0
    page = browser(jona).get("/me/reach/").text
    assert "no device takes notifications any more" in page


def test_one_device_gone_leaves_the_other(service, jona, daily):
    register(jona, "desk", on=service)
    service.answers[daily.path] = 410
    assert pushes.send_due(now=at(8)) == 1
    assert PushDevice.objects.count() == 1
    assert ReachWish.objects.get().off_at is None


@pytest.mark.parametrize(
    ("answer", "minutes"),
    [
        ((429, {"Retry-After": "600"}), 10), ((503, {}), 5), ((500, {"Retry-After": "nonsense"}), 5),
        ((429, {"Retry-After": "999999999"}), 360), ((429, {"Retry-After": "Tue, 24 Nov 2026 07:30:00 GMT"}), 30),
    ],
)  # fmt: skip
def test_service_that_asks_to_wait_is_left_alone_for_so_long(service, daily, answer, minutes):
    service.answers[daily.path] = answer
    assert pushes.send_due(now=at(8)) == 0
    assert Reached.objects.count() == 0
    del service.answers[daily.path]
    early, then = (at(8) + dt.timedelta(minutes=minutes, seconds=s) for s in (-1, 1))
    assert [pushes.send_due(now=now) for now in (early, then)] == [0, 1]
    assert len(service.got) == 1


def test_one_that_must_wait_holds_nobody_up(service, person, daily):
    register(nam := person("Nam"), "nam", on=service)
    reaching.wish(by=nam, way="push", at=dt.time(7, 30), now=at(6))
    service.answers[daily.path] = 429
    assert pushes.send_due(now=at(8)) == 1
    assert [path for path, *_ in service.got] == ["/send/nam"]


def test_service_that_cannot_be_reached_is_tried_again(service, daily):
    service.server.shutdown()
    service.server.server_close()
    assert (pushes.send_due(now=at(8)), Reached.objects.count()) == (0, 0)
    assert PushDevice.objects.get().not_before == at(8, 5)


def test_address_that_turned_private_is_forgotten(service, daily, monkeypatch):
    monkeypatch.setenv("LOOPBACK_HOSTS", "")
    assert pushes.send_due(now=at(8)) == 0
    assert (PushDevice.objects.count(), service.got) == (0, [])


def test_sealed_text_of_another_row_opens_nothing(service, jona, mirja, daily):
    [other] = register(mirja, "other", on=service)
    theirs = PushDevice.objects.get(person=mirja)
    PushDevice.objects.filter(person=jona).update(sealed=theirs.sealed, key_id=theirs.key_id)
    pushes.send_due(now=at(8))
    assert [path for path, *_ in service.got if path == other.path] == []


def test_somebody_who_leaves_is_notified_nowhere(service, jona, mirja, daily):
    register(mirja, "other", on=service)
    leaving.leave(person=jona, by=mirja, now=at(7, 45))
    assert list(PushDevice.objects.values_list("person", flat=True)) == [mirja.pk]
    assert (pushes.send_due(now=at(8)), service.got) == (0, [])
