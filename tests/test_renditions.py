"""Pictures that networks fetch: the signed address, and the bytes behind it."""

import datetime as dt
import hashlib
import io
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from campaigns import claims, deliveries, renditions
from campaigns.models import Delivery, Picture
from integrations import accounts
from integrations.networks import NETWORKS
from integrations.networks.base import Identity

from .networks.threads import Threads


def jpeg(width, height, colour="navy"):
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def picture(db):
    def make(width=600, height=400, colour="navy"):
        content = jpeg(width, height, colour)
        row = Picture(sha256=hashlib.sha256(content).hexdigest(), width=width, height=height, alt_en="A field")  # fmt: skip
        row.file.save("x.jpg", ContentFile(content))
        return row

    return make


@pytest.fixture
def address(settings):
    """The path of a picture's signed address."""
    settings.SITE_URL = "https://botschaft.example.org"

    def of(row, network="threads"):
        return urlsplit(renditions.public_url(row, network)).path

    return of


def test_signed_address_opens_its_picture_and_nothing_personal(client, picture, address):
    row = picture()
    response = client.get(address(row))
    assert response.status_code == 200
    assert response.content == row.file.open("rb").read()
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert response.cookies == {}
    assert client.head(address(row)).status_code == 200


def test_nothing_is_written_through_it(client, picture, address):
    assert client.post(address(picture())).status_code == 405


def test_tampered_address_is_not_found(client, picture, address):
    path = address(picture())
    signed = path.rstrip("/").rsplit("/", 1)[1]
    body, stamp, signature = signed.split(":")
    other = signing.dumps(["0" * 64, "threads"], salt="campaigns.renditions").split(":")
    forged = [
        f"{body}:{stamp}:{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        f"{body}:{stamp}:{other[2]}",  # the signature of another picture
        f"{other[0]}:{stamp}:{signature}",  # another picture under this signature
        f"{body}:{other[1][:-1]}z:{signature}",
        body, f"{body}:{stamp}", "x", ":::", "%00", "ä",
    ]  # fmt: skip
    for one in forged:
        response = client.get(f"/pictures/public/{one}/")
        assert response.status_code in ({400} if one == "%00" else {404}), one
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "named", [["f" * 64, "threads"], ["", "threads"], "x", 5, None, {}, [1], [[], "threads"]],
)  # fmt: skip
def test_signed_nonsense_is_not_found(client, db, named):
    signed = signing.dumps(named, salt="campaigns.renditions")
    assert client.get(reverse("public_picture", args=[signed])).status_code == 404


def test_unknown_form_of_a_picture_is_not_found(client, picture):
    for form in ("original", "", "mastodon", None):
        signed = signing.dumps([picture().sha256, form], salt="campaigns.renditions")
        assert client.get(reverse("public_picture", args=[signed])).status_code == 404


def test_signature_for_another_purpose_is_not_found(client, picture):
    signed = signing.dumps([picture().sha256, "threads"])
    assert client.get(reverse("public_picture", args=[signed])).status_code == 404


def test_address_ends_after_a_day(client, picture, address, monkeypatch):
    path, made = address(picture()), timezone.now().timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: made + 24 * 3600 - 60)
    assert client.get(path).status_code == 200
    monkeypatch.setattr("django.core.signing.time.time", lambda: made + 24 * 3600 + 60)
    assert client.get(path).status_code == 404


def test_picture_whose_file_is_gone_is_not_found(client, picture, address):
    row = picture()
    path = address(row)
    row.file.delete(save=False)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "site",
    ["http://botschaft.example.org", "http://localhost:8000", "https://localhost", "https://10.0.0.5",
     "https://botschaft.internal", "https://botschaft.example.org:8443", "https://intranet"],
)  # fmt: skip
def test_site_that_the_internet_cannot_reach_has_no_public_address(picture, settings, site):
    settings.SITE_URL = site
    assert renditions.public_url(picture(), "threads") == ""


# The bytes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "becomes"),
    [
        ((600, 400), (600, 400)), ((1080, 1350), (1080, 1350)), ((1440, 754), (1440, 754)),
        ((2000, 1000), (1440, 755)), ((1000, 2000), (1440, 1800)), ((200, 200), (320, 320)),
        ((2000, 200), (1440, 755)), ((300, 2000), (1440, 1800)), ((1500, 1125), (1440, 1080)),
    ],
)  # fmt: skip
def test_instagram_gets_what_it_takes(size, becomes):
    frame = NETWORKS["instagram"].abilities.frame
    content = renditions.fit(jpeg(*size), frame)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("JPEG", becomes)
        assert 0.8 <= image.width / image.height <= 1.91
        assert len(image.getexif()) == 0


def test_picture_that_fits_is_left_as_it_is():
    content = jpeg(1080, 1080)
    assert renditions.fit(content, NETWORKS["instagram"].abilities.frame) == content


def test_nothing_is_cropped_and_the_same_bytes_come_every_time():
    tall = jpeg(400, 1000)
    first = renditions.fit(tall, NETWORKS["instagram"].abilities.frame)
    assert renditions.fit(tall, NETWORKS["instagram"].abilities.frame) == first
    with Image.open(io.BytesIO(first)) as image:
        assert image.size == (800, 1000)
        blue = [x for x in range(800) if image.getpixel((x, 500))[0] < 128]
    assert (blue[0], blue[-1]) == (200, 599)


# The way of a post --------------------------------------------------------------------------


@pytest.fixture
def threads(monkeypatch, settings):
    with Threads() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        settings.NETWORK_APPS = {
            "threads": {"client_id": "cid", "client_secret": "app-secret", "options": {}}
        }
        yield server


@pytest.fixture
def with_picture(person, queue, picture, threads):
    """A queued post with a picture on Threads."""

    def make():
        who, access = person(), threads.access("7")
        account = accounts.connect(
            person=who, network="threads", base_url=threads.base_url,
            identity=Identity("7", "@jona", "Jona", "https://x.example"),
            secrets_=dict(access.secrets), expires_at=None, features=dict(access.features), now=timezone.now(),
        )  # fmt: skip
        delivery = queue(who, account)
        delivery.post.picture = picture()
        delivery.post.save(update_fields=["picture"])
        return delivery

    return make


@pytest.mark.django_db(transaction=True)
def test_network_fetches_the_picture_from_us(
    live_server, settings, monkeypatch, with_picture, threads
):
    settings.SITE_URL = live_server.url
    hosts = threads.environment()["LOOPBACK_HOSTS"]
    monkeypatch.setenv("LOOPBACK_HOSTS", f"{hosts},{urlsplit(live_server.url).netloc}")
    delivery = with_picture()
    for row in claims.claim(limit=5):
        deliveries.deliver(row)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.detail) == ("sent", "")
    [container] = threads.containers.values()
    assert (container["media_type"], container["alt_text"]) == ("IMAGE", "A field")
    assert container["image_url"].startswith(f"{live_server.url}/pictures/public/")
    assert delivery.remote_url == f"https://www.threads.example/p/{delivery.remote_id}"


@pytest.mark.django_db(transaction=True)
def test_installation_without_public_address_says_so(settings, with_picture, threads):
    settings.SITE_URL = "http://localhost:8000"
    delivery = with_picture()
    for row in claims.claim(limit=5):
        deliveries.deliver(row)
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    assert delivery.detail == (
        "Threads fetches pictures itself, and this installation has no public https address"
        " (SITE_URL). Copy the text and add the picture by hand."
    )
    assert (threads.requests, Delivery.objects.get().tries) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_lost_answer_on_threads_settles_itself(settings, with_picture, threads, picture):
    settings.SITE_URL = "https://botschaft.example.org"
    threads.fetch = lambda url: True
    delivery = with_picture()
    threads.fault("reset", applied=True)
    from campaigns import unknowns

    for row in claims.claim(limit=5):
        deliveries.deliver(row)
    delivery.refresh_from_db()
    assert delivery.state == "unknown"
    Delivery.objects.update(look_at=timezone.now() - dt.timedelta(seconds=1))
    for row in unknowns.look_due(limit=5):
        unknowns.look(row)
    delivery.refresh_from_db()
    assert (delivery.state, threads.count("created")) == ("sent", 1)
    assert delivery.remote_id == threads.ledger[-1]["id"]
