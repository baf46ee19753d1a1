"""The spool: on the disk or said aloud, opened only by its name and our keys, never deleted."""

import logging
import multiprocessing
import os
import resource
import stat
import time
from base64 import urlsafe_b64encode

import pytest

from integrations import spool

ANSWER = {"remote_id": "at://did:plc:1/x/3k", "url": "https://x.example/1", "fence": 3}
OTHER_KEY = urlsafe_b64encode(b"another-key-another-key-another!").decode()


def kinds(settings):
    return sorted(path.suffix for path in settings.SPOOL_DIR.iterdir())


def test_kept_answer_is_found_by_the_next_worker_until_forgotten():
    path = spool.keep("delivery", "k-1", ANSWER)
    assert list(spool.found("delivery")) == [(path, "k-1", ANSWER)]
    assert list(spool.found("token")) == []
    spool.forget(path)
    spool.forget(path)
    assert list(spool.found("delivery")) == []


def test_spool_that_was_never_used_is_empty():
    assert list(spool.found("delivery")) == []
    assert spool.reseal() == 0


def test_answers_of_one_key_are_both_kept_in_order():
    spool.keep("token", "9", {"version": 2})
    spool.keep("token", "10", {"version": 7})
    spool.keep("token", "9", {"version": 3})
    found = [(key, answer["version"]) for _path, key, answer in spool.found("token")]
    assert found == [("9", 2), ("10", 7), ("9", 3)]


def test_file_is_ours_alone_and_tells_nothing(settings):
    path = spool.keep("token", "9", {"refresh_token": "very-secret"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.SPOOL_DIR.stat().st_mode) == 0o700
    assert b"very-secret" not in path.read_bytes()
    assert "very-secret" not in path.name


@pytest.mark.parametrize("key", ["", "../x", "a~b", "a/b", "a b", "ä", "x" * 101])
def test_key_that_is_no_file_name_is_a_mistake(key):
    with pytest.raises(ValueError, match="no names"):
        spool.keep("delivery", key, ANSWER)


@pytest.mark.parametrize(
    "content",
    [b"", b"gAAAA", None, b"\x00" * 200, b"{}"],
    ids=["empty", "text", "half", "zeros", "json"],
)
def test_broken_file_is_set_aside_and_the_others_are_found(settings, caplog, content):
    broken, good = spool.keep("delivery", "k-1", ANSWER), spool.keep("delivery", "k-2", ANSWER)
    broken.write_bytes(broken.read_bytes()[:100] if content is None else content)
    assert [key for _path, key, _answer in spool.found("delivery")] == ["k-2"]
    assert kinds(settings) == [".broken", ".sealed"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert list(spool.found("delivery")) == [(good, "k-2", ANSWER)]


def test_file_under_another_name_is_set_aside(settings):
    path = spool.keep("token", "9", ANSWER)
    path.rename(path.with_name(path.name.replace("~9~", "~8~")))
    assert list(spool.found("token")) == []
    assert kinds(settings) == [".broken"]


def test_file_of_another_key_is_set_aside_and_opens_with_that_key(settings):
    path, keys = spool.keep("token", "9", ANSWER), settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [OTHER_KEY]
    assert list(spool.found("token")) == []
    settings.TOKEN_KEYS = keys
    path.with_suffix(".broken").rename(path)
    assert list(spool.found("token")) == [(path, "9", ANSWER)]


def test_half_file_of_a_living_writer_is_left_and_of_a_dead_one_adopted(settings):
    path = spool.keep("delivery", "k-1", ANSWER)
    half = path.rename(path.with_name(f".{path.name}.half"))
    assert list(spool.found("delivery")) == []
    assert half.exists()
    long_ago = time.time() - 3600
    os.utime(half, (long_ago, long_ago))
    assert list(spool.found("delivery")) == [(path, "k-1", ANSWER)]


def _child(work, *args):
    process = multiprocessing.get_context("fork").Process(target=work, args=args)
    process.start()
    return process


def _on_full_disk(code):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    path = spool.keep("delivery", "k-2", ANSWER)
    code.value = 1 if path.exists() else 2


def test_full_disk_is_logged_and_leaves_no_half_file(settings, caplog):
    kept = spool.keep("delivery", "k-1", ANSWER)
    code = multiprocessing.Value("i", 0)
    child = _child(_on_full_disk, code)
    child.join(10)
    assert (child.exitcode, code.value) == (0, 2)
    assert list(settings.SPOOL_DIR.iterdir()) == [kept]


def test_spool_that_cannot_be_written_raises_nothing(settings, tmp_path, caplog):
    settings.SPOOL_DIR = tmp_path / "file" / "spool"
    (tmp_path / "file").write_text("no directory")
    path = spool.keep("delivery", "k-1", ANSWER)
    spool.forget(path)
    assert list(spool.found("delivery")) == []
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def _writes(who):
    for number in range(50):
        path = spool.keep("delivery", f"{who}-{number}", ANSWER)
        if number % 2:
            spool.forget(path)


def test_two_processes_write_while_a_third_finds(settings, caplog):
    children = [_child(_writes, who) for who in "ab"]
    while any(child.is_alive() for child in children):
        list(spool.found("delivery"))
    found = {key for _path, key, _answer in spool.found("delivery")}
    assert found == {f"{who}-{number}" for who in "ab" for number in range(0, 50, 2)}
    assert set(kinds(settings)) == {".sealed"}
    assert caplog.records == []


def test_resealed_files_open_with_the_new_key_alone(settings):
    old = settings.TOKEN_KEYS
    path = spool.keep("token", "9", ANSWER)
    settings.TOKEN_KEYS = [OTHER_KEY, *old]
    assert (spool.reseal(), spool.reseal()) == (1, 0)
    settings.TOKEN_KEYS = [OTHER_KEY]
    assert list(spool.found("token")) == [(path, "9", ANSWER)]
