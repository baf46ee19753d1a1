"""The media library: rights end, consents are taken back, crops are frozen, nothing barred leaves."""

import datetime as dt
import io
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from ambassadors import consents
from campaigns import claims, deliveries, pictures, renditions, reviews, suggestions, uploads
from campaigns.models import Delivery, Picture, PictureFace, Post, Suggestion
from campaigns.share_checks import ShareRefused
from integrations import accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def mirja(person):
    return person("Mirja", "curator")


def jpeg(width=400, height=200, colour="teal"):
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def picture(mirja):
    made = uploads.store(uploads.encode(jpeg()), by=mirja)
    Picture.objects.filter(pk=made.pk).update(alt_de="Ein Windrad", alt_en="A turbine")
    made.refresh_from_db()
    return made


@pytest.fixture
def shown(picture, suggestion):
    suggestion.picture = picture
    suggestion.save(update_fields=["picture"])
    return suggestion


def day(offset):
    return timezone.now().date() + dt.timedelta(days=offset)


def end_rights(picture):
    picture.usable_until = day(-1)
    picture.save(update_fields=["usable_until"])


def face(picture, by, **who):
    facts = {"person": None, "name": "", "until": None, **who}
    pictures.add_face(picture=picture, by=by, now=timezone.now(), **facts)


def agree(person):
    consents.give(person=person, purpose="photo", now=timezone.now())


def disagree(person):
    consents.withdraw(person=person, purpose="photo", now=timezone.now())


def test_last_day_still_counts(picture):
    Picture.objects.filter(pk=picture.pk).update(usable_until=day(0))
    picture.refresh_from_db()
    assert (
        pictures.why_barred(picture, on=day(0)),
        pictures.why_barred(picture, on=day(1)) != "",
    ) == ("", True)


def test_colleague_bars_and_frees_a_picture_alone(picture, mirja, person):
    jona = person("Jona Harms")
    face(picture, mirja, person=jona)
    said = [pictures.why_barred(picture, on=day(0))]
    agree(jona)
    said.append(pictures.why_barred(picture, on=day(0)))
    disagree(jona)
    said.append(pictures.why_barred(picture, on=day(0)))
    agree(jona)
    said.append(pictures.why_barred(picture, on=day(0)))
    assert said == [
        "Jona Harms is in this picture and has not agreed yet.", "",
        "Jona Harms is in this picture and has taken the consent back.", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("until", "why"),
    [
        (None, "There is no consent of Ada, who is in this picture."),
        (-1, "The consent of Ada, who is in this picture, is over."),
        (0, ""),
    ],
)
def test_outsiders_consent_is_on_file_until_a_day(picture, mirja, until, why):
    face(picture, mirja, name="Ada", until=None if until is None else day(until))
    assert pictures.why_barred(picture, on=day(0)) == why
    assert pictures.barred([picture], on=day(0)) == ({picture.pk} if why else set())


def test_barred_picture_blocks_review_and_approval_with_the_reason(shown, picture, mirja):
    end_rights(picture)
    Suggestion.objects.filter(pk=shown.pk).update(state="draft", approved_at=None, approved_by=None)
    draft = Suggestion.objects.get(pk=shown.pk)
    with pytest.raises(suggestions.NotAllowed, match="rights to this picture ended"):
        reviews.hand_in(suggestion=draft, seen_revision=1, by=mirja, now=timezone.now())
    Suggestion.objects.filter(pk=shown.pk).update(state="in_review", revision=2)
    with pytest.raises(suggestions.NotAllowed, match="rights to this picture ended"):
        reviews.approve(
            suggestion=Suggestion.objects.get(pk=shown.pk),
            seen_revision=2,
            by=mirja,
            now=timezone.now(),
        )


def test_barred_picture_is_not_queued(shown, picture, queue, person):
    jona = person("Jona")
    wall = accounts.connect_wall(person=jona, now=timezone.now())
    end_rights(picture)
    with pytest.raises(ShareRefused, match="rights to this picture ended"):
        queue(jona, wall)
    assert Post.objects.count() == 0


def test_copied_text_leaves_without_a_barred_picture(shown, picture, person):
    jona = person("Jona")
    client = Client()
    client.force_login(jona)
    end_rights(picture)
    form = {"variant": shown.variant_set.get().pk, "text": "My own words.", "act": "copy",
            "network": "linkedin", "submission": str(uuid.uuid4())}  # fmt: skip
    client.post(f"/suggestions/{shown.pk}/", form)
    assert Post.objects.get().picture is None


def send_all():
    for delivery in claims.claim(limit=5):
        deliveries.deliver(delivery)


@pytest.mark.django_db(transaction=True)
def test_consent_taken_back_stops_a_queued_post_and_given_again_lets_it_go(
    shown, picture, mirja, queue, person, mastodon, account_on
):
    jona, lena = person("Jona"), person("Lena")
    agree(lena)
    face(picture, mirja, person=lena)
    queue(jona, account_on(jona, mastodon))
    disagree(lena)
    send_all()
    row = Delivery.objects.get()
    assert (row.state, row.blocked, mastodon.count("arrived"), mastodon.count("created")) == (
        "queued",
        "picture",
        0,
        0,
    )
    agree(lena)
    Delivery.objects.update(blocked="", next_at=None)
    send_all()
    assert Delivery.objects.get().state == "sent"


def test_barred_picture_is_shown_to_nobody_but_curators(shown, picture, desk, person):
    client = Client()
    client.force_login(person("Jona"))
    path = f"/pictures/{picture.pk}/"
    before = client.get(path).status_code
    end_rights(picture)
    after = client.get(path)
    assert (before, after.status_code, desk.get(path).status_code) == (200, 302, 200)
    assert after.headers["Location"] == "/static/img/barred.svg"


def test_crop_keeps_the_focus_in_sight(mirja, picture):
    with Image.new("RGB", (400, 200), "white") as whole:
        whole.paste("red", (360, 0, 400, 200))
        out = io.BytesIO()
        whole.save(out, "JPEG")
    row = uploads.store(uploads.encode(out.getvalue()), by=mirja)
    row.focus_x = 100
    pictures.describe(picture=row, by=mirja, now=timezone.now())
    pictures.cut(picture=row, network="instagram", aspect="1:1", by=mirja, now=timezone.now())
    crop = pictures.for_network(row, "instagram")
    with crop.file.open("rb") as file, Image.open(file) as image:
        right, left = image.getpixel((195, 100)), image.getpixel((5, 100))
    assert ((crop.width, crop.height), right[0] > 200 > right[1], left[1] > 200) == (
        (200, 200),
        True,
        True,
    )


def test_post_keeps_the_crop_it_was_written_with(shown, picture, mirja, queue, person):
    pictures.cut(picture=picture, network="wall", aspect="1:1", by=mirja, now=timezone.now())
    jona = person("Jona")
    queue(jona, accounts.connect_wall(person=jona, now=timezone.now()))
    first = Post.objects.get().picture
    pictures.cut(picture=picture, network="wall", aspect="", by=mirja, now=timezone.now())
    assert (first.aspect, Post.objects.get().picture, pictures.for_network(picture, "wall")) == (
        "1:1",
        first,
        picture,
    )
    assert first.alt("en") == "A turbine"


def test_rights_of_the_whole_bar_its_crops(picture, mirja):
    pictures.cut(picture=picture, network="x", aspect="16:9", by=mirja, now=timezone.now())
    crop = pictures.for_network(picture, "x")
    end_rights(picture)
    assert pictures.barred([crop], on=day(0)) == {crop.pk}


def test_moved_focus_moves_the_crops_in_use(picture, mirja):
    pictures.cut(picture=picture, network="x", aspect="1:1", by=mirja, now=timezone.now())
    before = pictures.for_network(picture, "x").pk
    picture.focus_x = 0
    pictures.describe(picture=picture, by=mirja, now=timezone.now())
    assert (pictures.for_network(picture, "x").pk != before, Picture.objects.library().count()) == (
        True,
        1,
    )


def test_upload_takes_its_title_from_the_file_and_equal_bytes_once(desk):
    for _ in range(2):
        desk.post(
            "/desk/pictures/",
            {"file": SimpleUploadedFile("Deich im Herbst.jpg", jpeg(), "image/jpeg")},
        )
    assert list(Picture.objects.values_list("title", flat=True)) == ["Deich im Herbst"]


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"%PDF-1.7"])
def test_bad_upload_gets_a_sentence(desk, content):
    answer = desk.post(
        "/desk/pictures/", {"file": SimpleUploadedFile("a.jpg", content, "image/jpeg")}
    )
    assert (
        answer.status_code,
        'id="file-e"' in answer.content.decode(),
        Picture.objects.count(),
    ) == (422, True, 0)


def test_what_was_typed_stays_beside_the_sentence(desk, picture):
    answer = desk.post(f"/desk/pictures/{picture.pk}/", {
        "title": "Kept words", "alt_de": "x" * 1600, "focus_x": 50, "focus_y": "101", "usable_until": "2026-02-30",
    })  # fmt: skip
    page = answer.content.decode()
    assert (answer.status_code, "Kept words" in page, page.count('class="error"')) == (422, True, 3)


@pytest.mark.parametrize(
    ("person_", "name", "sentence"),
    [
        ("", "", "Choose a colleague"),
        ("Nobody Here", "", "Nobody here has this name"),
        ("Twin", "", "Several people have this name"),
        ("Mirja", "Ada", "Choose a colleague"),
        ("Mir\x00ja", "", "Null characters"),
    ],
)
def test_face_needs_exactly_one_somebody(desk, picture, person, person_, name, sentence):
    person("Twin")
    person("Twin")
    answer = desk.post(
        f"/desk/pictures/{picture.pk}/faces/", {"person": person_, "name": name, "until": ""}
    )
    assert (
        answer.status_code,
        sentence in answer.content.decode(),
        PictureFace.objects.count(),
    ) == (422, True, 0)


def test_face_is_noted_once_and_removed(desk, picture, person):
    lena = person("Lena Brandt")
    for _ in range(2):
        desk.post(f"/desk/pictures/{picture.pk}/faces/", {"person": "lena brandt"})
    noted = PictureFace.objects.get()
    assert noted.person == lena
    desk.post(f"/desk/pictures/{picture.pk}/faces/{noted.pk}/remove/")
    assert PictureFace.objects.count() == 0


def test_search_finds_by_name_on_it_and_by_maker(desk, picture, mirja, person):
    other = uploads.store(uploads.encode(jpeg(colour="red")), by=mirja)
    Picture.objects.filter(pk=other.pk).update(title="Other", made_by="Kalle Foto")
    face(picture, mirja, person=person("Lena Brandt"))
    found = {
        q: [row.pk for row in desk.get("/desk/pictures/", {"q": q}).context["page"]]
        for q in ("lena", "kalle")
    }
    assert (found["lena"], found["kalle"]) == ([picture.pk], [other.pk])
    assert [row.pk for row in desk.get("/desk/pictures/", {"only": "barred"}).context["page"]] == [
        picture.pk
    ]


def test_library_has_constant_queries(desk, picture, mirja):
    def counted():
        with CaptureQueriesContext(connection) as caught:
            desk.get("/desk/pictures/")
        return len(caught)

    one = counted()
    for colour in ("red", "blue"):
        uploads.store(uploads.encode(jpeg(colour=colour)), by=mirja)
    assert (one, counted()) == (6, 6)


def test_nobody_but_curators_opens_the_library(person):
    for role in ("hr", "auditor", "administrator"):
        client = Client()
        client.force_login(person("A", role))
        assert client.get("/desk/pictures/").status_code == 403


def form(topic, **fields):
    return {
        "topic": topic.pk, "title": "A draft", "language": "en", "tone": "useful",
        "content_class": "employer_brand", "revision": 0, "act": "save", "v_id": "", "v_name": "One",
        "v_text": "Words [yours].", "v_language": "en", "v_network": "", "alt": "", **fields,
    }  # fmt: skip


def test_picture_from_the_library_brings_its_own_words(desk, topic, picture):
    desk.post("/desk/suggestions/new/", form(topic, library=picture.pk))
    assert (Suggestion.objects.get().picture, Picture.objects.get().alt_en) == (
        picture,
        "A turbine",
    )


def test_picture_is_taken_off_again(desk, shown, picture):
    topic = shown.topic
    desk.post(
        f"/desk/suggestions/{shown.pk}/", form(topic, library="none", revision=shown.revision)
    )
    shown.refresh_from_db()
    assert (shown.picture, Picture.objects.get().alt_en) == (None, "A turbine")


@pytest.mark.parametrize("key", ["99999", "x", "-1", "9" * 5000, "\x00"])
def test_picture_that_is_none_is_no_picture(desk, topic, key):
    assert desk.post("/desk/suggestions/new/", form(topic, library=key)).status_code == 302
    assert Suggestion.objects.get().picture is None


def test_what_was_picked_stays_picked_beside_an_error(desk, topic, picture):
    got = desk.post("/desk/suggestions/new/", form(topic, title="", library=picture.pk))
    assert (got.status_code, f'value="{picture.pk}" checked' in got.content.decode()) == (422, True)


def test_barred_picture_is_not_offered_and_the_search_finds_by_words(desk, topic, picture, mirja):
    other = uploads.store(uploads.encode(jpeg(colour="red")), by=mirja)
    Picture.objects.filter(pk=other.pk).update(title="Deich")
    end_rights(picture)
    got = desk.get("/desk/pictures/choice/", {"pic": ""}).content.decode()
    assert (f'value="{other.pk}"' in got, f'value="{picture.pk}"' in got) == (True, False)
    without_script = desk.post(
        "/desk/suggestions/new/", form(topic, act="find_picture", pic="deich")
    ).content.decode()
    assert f'value="{other.pk}"' in without_script


def test_network_fetches_no_barred_picture_any_more(picture, settings):
    settings.SITE_URL = "https://botschaft.example.com"
    path = renditions.public_url(picture, "instagram").removeprefix(settings.SITE_URL)
    before = Client().get(path).status_code
    end_rights(picture)
    assert (before, Client().get(path).status_code) == (200, 404)
