"""A person's data in one file: complete by the model graph, theirs alone, and flat in memory."""

import csv
import datetime as dt
import io
import json
import re
import stat
import tracemalloc
import uuid
import zipfile

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from advocacy import takeout as data
from ambassadors import memberships
from ambassadors.models import AuditEntry, Note, Person, PrivateAddress, Takeout
from ambassadors.takeout import tables, untold
from campaigns.models import Picture, Post
from integrations import takeouts

from .conftest import FULL, browser, night

pytestmark = pytest.mark.django_db
ROOMS = {"ambassadors", "integrations", "campaigns", "curation", "people", "reception"}
KEYS = {"actor_id", "person_key", "author_key"}  # of people, where no foreign key may stand


def pointing_at_people():
    """Every column of every table that points at a person, as app.Model.column."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        hidden = {
            f.name
            for parent in apps.get_models()
            for m2m in parent._meta.many_to_many
            if m2m.remote_field.through is model and m2m.remote_field.through._meta.auto_created
            for f in model._meta.fields
            if parent is not Person
        }
        for field in [*model._meta.fields, *model._meta.many_to_many]:
            keyed = field.name in KEYS and model._meta.app_label in ROOMS
            if (field.related_model is Person and field.name not in hidden) or keyed:
                found.add(f"{model._meta.label}.{field.name}")
    return found


def test_every_column_that_points_at_a_person_is_told_or_exempted_by_name():
    told = {f"{t.model._meta.label}.{t.whose.partition('__')[0]}" for t in tables()}
    missing = sorted(pointing_at_people() - told - set(untold()))
    assert missing == [], (
        f"{missing} point at a person. If the rows are the person's own, add a Table to TABLES in"
        f" the app's takeout.py; if not, name the column in UNTOLD there with the reason. Both say"
        f" what erasing the person does. See ambassadors/takeout.py for examples."
    )


def test_nothing_is_exempted_that_does_not_exist_or_is_told():
    told = {f"{t.model._meta.label}.{t.whose}" for t in tables()}
    assert (set(untold()) - pointing_at_people(), set(untold()) & told) == (set(), set())


def test_every_declaration_says_what_erasing_does_and_why():
    erasures = [t.erasure for t in tables()] + [u.erasure for u in untold().values()]
    wrong = [e for e in erasures if not re.match(r"deleted$|stays, |kept ", e)]
    assert (wrong, [name for name, u in untold().items() if len(u.because) < 10]) == ([], [])


def test_left_out_columns_exist():
    wrong = [
        (t.model.__name__, name)
        for t in tables()
        for name in (*t.left_out, *t.files)
        if name not in {f.name for f in t.model._meta.concrete_fields}
    ]
    assert wrong == []


def unpacked(response):
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


@pytest.fixture
def full(jona, suggestion, account_on, mastodon, queue, person):
    """Jona with a post, a note, a picture and a consent, beside a colleague with a note."""
    queue(jona, account_on(jona, mastodon), text="=HYPERLINK(1) my father asked <b>me</b>.")
    Note.objects.create(person=jona, text="A sentence of mine", created_at=timezone.now())
    nam = person("Nam Other")
    Note.objects.create(person=nam, text="Somebody else wrote this", created_at=timezone.now())
    picture = Picture(sha256="x", width=1, height=1, uploaded_by=jona)
    picture.file.save("p.jpg", ContentFile(b"bytes of a picture"))
    return jona


def test_file_holds_what_is_theirs_and_nothing_else(full):
    archive = unpacked(browser(full).post("/me/data/"))
    everything = {name: archive.read(name) for name in archive.namelist()}
    page = everything["index.html"].decode()
    posts = json.loads(everything["json/campaigns-post.json"])
    rows = list(
        csv.DictReader(io.StringIO(everything["csv/campaigns-post.csv"].decode("utf-8-sig")))
    )
    [picture] = [name for name in everything if name.startswith("files/")]
    assert everything[picture] == b"bytes of a picture"
    assert picture in page
    assert posts[0]["text"] == "=HYPERLINK(1) my father asked <b>me</b>."
    assert rows[0]["text"].startswith("'=HYPERLINK")
    assert ("&lt;b&gt;me" in page, "<b>me" in page, "A sentence of mine" in page) == (
        True,
        False,
        True,
    )
    assert re.findall(r'(?:src|href)="(?!files/)[^"]*"', page) == []
    whole = b"".join(everything.values())
    secrets = (b"token-1", full.password.encode(), b"Somebody else wrote this", b"Nam Other")
    assert [secret for secret in secrets if secret in whole] == []


def test_page_is_readable_in_the_persons_language(full):
    Person.objects.filter(pk=full.pk).update(language="de")
    page = unpacked(browser(full).post("/me/data/")).read("index.html").decode()
    assert ('<html lang="de">' in page, "Notizbuch" in page) == (True, True)


def test_years_of_posts_stay_flat_in_memory(jona):
    """5,000 posts at full size; in between fewer and longer ones, 24 MB of text."""
    now, count = timezone.now(), 5_000 if FULL else 600
    words = "word " * (24_000_000 // count // 10)
    Post.objects.bulk_create(
        (
            Post(
                person=jona, network="linkedin", how="copied", submission=uuid.uuid4(), language="en",
                text=words, full_text=words, own_share=50, sha256="x", created_at=now,
            )
            for _n in range(count)
        ),
        batch_size=100,
    )  # fmt: skip

    class Sink(io.RawIOBase):
        size = 0

        def writable(self):
            return True

        def write(self, piece):
            self.size += len(piece)
            return len(piece)

    tracemalloc.start()
    counted = data.write(person=jona, to=Sink(), now=now)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{count} posts, {peak / 1e6:.1f} MB of memory at most")
    assert counted["campaigns-post"] == count
    assert peak < 12_000_000


# The address outside, and the link after leaving ------------------------------------------------


@pytest.fixture
def confirmed(jona, mailoutbox):
    """Jona has named an address and said yes in its mail."""
    browser(jona).post("/me/data/address/", {"address": "jona@private.example"})
    [mail] = mailoutbox
    path, code = link(mail)
    page = Client().post(path, {"code": code})
    assert (mail.to, page.status_code) == (["jona@private.example"], 200)
    assert PrivateAddress.objects.get().confirmed_at is None  # looking is no yes
    assert "Noted." in Client().post(path, {"code": code, "act": "yes"}).content.decode()
    mailoutbox.clear()
    return jona


def link(mail):
    """Where it leads, and the code behind it that a script puts into the form."""
    return re.search(r"http://[^/]+(/takeout/[^#\s]*)#(\S+)", mail.body).groups()


def left(person):
    memberships.leave_company(person=person, by=None, now=timezone.now())
    takeouts.make(person=person, now=timezone.now())


def test_link_is_mailed_once_and_good_once(confirmed, mailoutbox):
    left(confirmed)
    assert [takeouts.mail_due(now=timezone.now()) for _ in range(2)] == [1, 0]
    [mail] = mailoutbox
    stranger, (path, code) = Client(), link(mail)
    assert path == "/takeout/"
    asks = stranger.get(path).content.decode()
    assert ("data-code" in asks, "Take my data" in asks) == (True, False)
    for typed in (code, f" http://localhost:8000/takeout/#{code}\n"):
        page = stranger.post(path, {"code": typed})
        assert (mail.to, b"Take my data" in page.content) == (["jona@private.example"], True)
    taken = stranger.post(path, {"code": code, "act": "take"})
    assert "index.html" in unpacked(taken).namelist()
    again = stranger.post(path, {"code": code, "act": "take"})
    assert (again.status_code, b"This link was used on" in again.content) == (410, True)
    assert PrivateAddress.objects.count() == 0  # it has served


def test_link_ends_after_thirty_days_and_is_forgotten(confirmed, mailoutbox):
    left(confirmed)
    takeouts.mail_due(now=timezone.now())
    Takeout.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    path, code = link(mailoutbox[0])
    late = Client().post(path, {"code": code, "act": "take"})
    assert (late.status_code, b"This link ended on" in late.content) == (410, True)
    assert night("takeouts", now=timezone.now()) == 1
    gone = Client().post(path, {"code": code})
    assert (PrivateAddress.objects.count(), gone.status_code) == (0, 422)


@pytest.mark.parametrize("signed", ["x", "0" * 32, "é:ü", "a" * 5000, "%00x"])
def test_link_that_we_did_not_write_gets_a_sentence(db, signed):
    earlier = [Client().get(f"/takeout/{signed}/"), Client().post(f"/takeout/address/{signed}/")]
    assert {a.status_code for a in earlier} <= {410, 400}
    typed = [Client().post(path, {"code": signed}) for path in ("/takeout/", "/takeout/address/")]
    assert [a.status_code for a in typed] == [422, 422]


def test_without_a_yes_there_no_link_is_made(jona, mailoutbox):
    browser(jona).post("/me/data/address/", {"address": "jona@private.example"})
    left(jona)
    assert (Takeout.objects.count(), takeouts.mail_due(now=timezone.now())) == (0, 0)


def test_confirming_asks_about_exactly_this_address(jona, mailoutbox):
    client = browser(jona)
    client.post("/me/data/address/", {"address": "typo@private.example"})
    client.post("/me/data/address/", {"address": "jona@private.example"})
    path, code = link(mailoutbox[0])
    assert Client().post(path, {"code": code, "act": "yes"}).status_code == 422
    assert PrivateAddress.objects.get().confirmed_at is None
    client.post("/me/data/address/", {"act": "forget"})
    assert PrivateAddress.objects.count() == 0


@pytest.mark.parametrize(
    "typed",
    ["", "jona", "a@b", "a@example.org\r\nBcc: x@example.org", "a" * 100_000, "\x00", "\ud800@example.org", "a@example.org, b@example.org"],
    ids=lambda typed: repr(typed)[:20],
)  # fmt: skip
def test_bad_address_gets_a_sentence(jona, mailoutbox, typed):
    from urllib.parse import quote

    body = "address=" + quote(typed.encode("utf-8", "surrogatepass"))
    answer = browser(jona).post(
        "/me/data/address/", body, content_type="application/x-www-form-urlencoded"
    )
    assert (answer.status_code, b"That is no mail address." in answer.content) == (422, True)
    assert (PrivateAddress.objects.count(), len(mailoutbox)) == (0, 0)


def test_own_work_address_is_refused(jona):
    answer = browser(jona).post("/me/data/address/", {"address": jona.email.upper()})
    assert "You will not reach this one" in answer.content.decode()


def test_mail_server_that_is_away_loses_no_link(confirmed, mailoutbox, monkeypatch):
    left(confirmed)
    monkeypatch.setattr(takeouts.mails, "send_to", lambda *_a, **_k: False)
    assert takeouts.mail_due(now=timezone.now()) == 0
    monkeypatch.undo()
    assert (takeouts.mail_due(now=timezone.now()), len(mailoutbox)) == (1, 1)


def test_command_exports_somebody_who_named_no_address(jona, tmp_path):
    left(jona)
    target = tmp_path / "jona.zip"
    call_command("export_person", jona.email.upper(), str(target), stdout=io.StringIO())
    assert "index.html" in zipfile.ZipFile(target).namelist()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert AuditEntry.objects.filter(act="takeout.exported", subject_id=str(jona.pk)).count() == 1
    for address, sentence in (
        (jona.email, "File exists"),
        ("nobody@example.org", "Nobody here has"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("export_person", address, str(target))
