"""Backup and restore with PostgreSQL's own programs, into a second database of the same server."""

import io
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from advocacy import backups
from ambassadors import audit, chain, tombstones
from ambassadors.models import Erasure, Person
from campaigns import erasures
from campaigns.models import Delivery
from integrations import accounts, instance

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def second():
    """An empty database; yields a way to run the command in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = f"{cursor.fetchone()[0]}_second"
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    _maintain(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _maintain(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield Second(url, name)
    _maintain(f'DROP DATABASE "{name}" WITH (FORCE)')


def _maintain(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


class Second:
    """Another machine with the same keys and a volume of its own."""

    def __init__(self, url, name):
        self.url, self.name = url, name

    def run(self, *words, var, stdin=None):
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, input=stdin, capture_output=True, check=False,
            env=os.environ | {"DATABASE_URL": self.url, "VAR_DIR": str(var), "LOG_LEVEL": "ERROR"},
        )  # fmt: skip

    def ask(self, sql):
        import psycopg2

        with psycopg2.connect(self.url) as link, link.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


@pytest.fixture
def lived_in(settings, jona, account_on, mastodon, queue, topic):
    """A post that waits, a picture, an entry in the record, all committed."""
    delivery = queue(jona, account_on(jona, mastodon))
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now())
    place = Path(settings.MEDIA_ROOT) / "pictures" / "a.jpg"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"a picture")
    settings.MEDIA_ROOT = Path(settings.MEDIA_ROOT)
    for number in range(3):
        audit.record("test.backup", jona, by=jona, now=timezone.now(), number=number)
    return delivery


def backup():
    stream = io.BytesIO()
    backups.make(stream, now=timezone.now())
    return stream.getvalue()


def test_what_was_saved_comes_back_publishes_nothing_and_erased_people_stay_erased(
    lived_in, jona, second, settings, tmp_path
):
    """One backup and one restore, looked at from all sides: each takes its seconds."""
    saved, before, head, key = backup(), backups._counts(), chain.head(), jona.evidence_key
    # Jona is erased after the backup; the list of the erased lies on the volume beside it.
    now = timezone.now()
    Erasure.objects.create(person=jona, asked_at=now, due_at=now)
    erasures.carry_out_due(now=now)  # leaves first
    while accounts.revoke_due(now=now + timezone.timedelta(minutes=2)):
        pass
    assert erasures.carry_out_due(now=now + timezone.timedelta(minutes=30)) == 1
    tombstones.sync()
    assert not Person.objects.filter(evidence_key=key).exists()
    var = tmp_path / "var"
    var.mkdir()
    (var / "erased.list").write_bytes((Path(settings.VAR_DIR) / "erased.list").read_bytes())

    done = second.run("botschaft", "restore", "-", var=var, stdin=saved)
    assert done.returncode == 0, done.stderr.decode()
    assert b"and 1 files of" in done.stdout
    assert (var / "media" / "pictures" / "a.jpg").read_bytes() == b"a picture"
    assert second.ask("SELECT count(*) FROM ambassadors_auditentry")[0][0] >= 3
    assert second.ask("SELECT count(*) FROM campaigns_post") == [(before["campaigns_post"],)]
    assert second.ask("SELECT stopped_why FROM integrations_instance") == [("restored",)]
    # what was due may be out already
    assert second.ask("SELECT state, reason FROM campaigns_delivery") == [("unknown", "restored")]
    looked = second.run("verify_audit", "--head", head, var=var)
    assert looked.returncode == 0, looked.stderr

    named = "SELECT count(*) FROM ambassadors_person WHERE name = 'Jona Harms'"
    assert second.ask(named) == [(1,)]
    yes = second.run("confirm_installation", "--yes", var=var)
    assert yes.returncode == 0, yes.stderr
    assert second.ask(named) == [(0,)]
    assert second.run("verify_audit", var=var).returncode == 0


def test_backup_holds_neither_keys_nor_the_list_of_erased(lived_in, settings, tmp_path):
    saved = backup()
    (Path(settings.VAR_DIR) / "erased.list").write_text("x")
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
        names = tar.getnames()
    assert [name for name in names if not name.startswith("media")] == [
        "about.json", "database.dump",
    ]  # fmt: skip
    for key in (*settings.TOKEN_KEYS, settings.SECRET_KEY):
        assert key.encode() not in saved


def test_database_that_is_not_empty_is_left_alone(lived_in):
    with pytest.raises(backups.BackupFailed, match="not empty"):
        backups.restore(io.BytesIO(backup()), now=timezone.now())
    assert not instance.stopped()


def made_of(*parts):
    """A tar of names and contents."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in parts:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


ABOUT, DUMP = ("about.json", b'{"form": 1, "rows": {}}'), ("database.dump", b"x" * 5000)


@pytest.mark.parametrize(
    ("saved", "sentence"),
    [
        (made_of(ABOUT, DUMP)[:3000], "damaged"),
        (b"not a tar at all" * 100, "no backup of Botschaft"),
        (b"", "no backup of Botschaft"),
        (made_of(("about.json", b'{"form": 9}'), DUMP), "has form 9"),
        (made_of(("about.json", b"\xff{"), DUMP), "damaged"),
        (made_of(DUMP), "has form None"),
        (made_of(ABOUT), "The database is missing"),
        (made_of(ABOUT, DUMP, ("media/../../evil.txt", b"evil")), "damaged"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_and_stays_in_its_place(
    settings, tmp_path, saved, sentence
):
    settings.MEDIA_ROOT = tmp_path / "deep" / "media"
    settings.MEDIA_ROOT.mkdir(parents=True)
    with pytest.raises(backups.BackupFailed, match=sentence):
        backups.unpack(io.BytesIO(saved), tmp_path)
    assert not list(tmp_path.rglob("evil.txt"))


def test_rows_that_are_missing_and_a_cut_record_are_told(jona):
    audit.record("test.backup", jona, by=jona, now=timezone.now())
    chain.seal()
    about = {"rows": {"campaigns_post": 2, "campaigns_topic": 3}, "head": "9:" + "0" * 64}
    amiss = backups._amiss(about, {"campaigns_post": 1, "campaigns_topic": 3})
    assert amiss[0] == "campaigns_post: 2 rows were saved, 1 came back."
    assert len(amiss) == 2


def test_half_a_backup_never_stands_under_its_name(lived_in, tmp_path, monkeypatch, settings):
    settings.PG_BIN = str(tmp_path / "nowhere")
    with pytest.raises(CommandError):
        call_command("botschaft", "backup", str(tmp_path / "saved.tar"))
    assert not (tmp_path / "saved.tar").exists()
    settings.PG_BIN = ""
    err = io.StringIO()
    call_command("botschaft", "backup", str(tmp_path / "saved.tar"), stderr=err)
    assert "rows are saved" in err.getvalue()
    assert [path.name for path in tmp_path.glob("saved*")] == ["saved.tar"]
    assert stat.S_IMODE((tmp_path / "saved.tar").stat().st_mode) == 0o600  # nobody else reads it
    connections.close_all()
