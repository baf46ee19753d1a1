"""Lessons at one's own pace: films with captions, questions without a score, progress of one's own."""

import datetime as dt
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ambassadors.models import AuditEntry
from people import captions, completions, films, lessons
from people.models import Choice, Completion, Course, Lesson, LessonDone, Question

from .conftest import browser
from .corpus import cases, value

pytestmark = pytest.mark.django_db
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2mp41" + b"\0\0\0\x08free" + bytes(range(256)) * 40
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + bytes(400)
VTT = "WEBVTT\n\n1\n00:00.000 --> 00:02.000\n<v Mirja>Ask &amp; listen.\n\n00:02.500 --> 00:04.000\nThen write.\n\n00:10.000 --> 00:12.000\nSleep on it.\n"


@pytest.fixture
def selin(person):
    return person("Selin Aydın", "hr")


@pytest.fixture
def course(selin):
    """Two lessons, the second with a question that has two right answers; published."""
    now = timezone.now()
    made = Course.objects.create(
        title_de="Recht am Bild", language="en", how="lessons", valid_months=12, made_at=now,
        published_at=now,
    )  # fmt: skip
    first = lessons.add(course=made, title="Faces", by=selin, now=now)
    Lesson.objects.filter(pk=first.pk).update(
        text="## Ask\n\nA *face* is theirs. <script>x</script>"
    )
    second = lessons.add(course=made, title="Questions", by=selin, now=now)
    lessons.ask(
        lesson=second, text="What goes?", explanation="Coffee may stay.",
        answers=[("The screen", True), ("The cup", False), ("The number plate", True)],
    )  # fmt: skip
    return made


def url(course, n):
    return f"/training/lessons/{course.lesson_set.all()[n].pk}/"


def answers(course, *texts):
    question = Question.objects.get(text="What goes?")
    chosen = Choice.objects.filter(question=question, text__in=texts)
    return {f"q{question.pk}": list(chosen.values_list("pk", flat=True))}


def test_lessons_and_a_quiz_are_gone_through_without_a_script(course, jona):
    mine = browser(jona)
    page = mine.get(url(course, 0)).content.decode()
    assert ("<h2>Ask</h2>" in page, "<script>x" in page) == (True, False)
    assert mine.post(url(course, 0)).headers["Location"] == url(course, 1)
    wrong = mine.post(url(course, 1), answers(course, "The screen"))
    text = wrong.content.decode()
    assert (wrong.status_code, "Not yet" in text, "Coffee may stay." in text) == (422, True, True)
    assert (
        len(re.findall(r'name="q\d+" value="\d+" checked', text)),
        Completion.objects.count(),
    ) == (1, 0)
    assert "Coffee may stay." not in mine.get(url(course, 1)).content.decode()
    right = mine.post(url(course, 1), answers(course, "The screen", "The number plate"))
    assert right.headers["Location"] == f"/training/courses/{course.pk}/"
    done = Completion.objects.get()
    assert (done.person, done.expires_on.year - done.completed_on.year) == (jona, 1)
    assert LessonDone.objects.count() == 0


def test_answer_of_another_question_passes_nothing(course, jona, selin):
    mine, question = browser(jona), Question.objects.get()
    other = lessons.ask(
        lesson=course.lesson_set.first(), text="Else?", explanation="",
        answers=[("Yes", True), ("No", False)],
    )  # fmt: skip
    foreign = other.choice_set.get(right=True).pk
    right = answers(course, "The screen", "The number plate")[f"q{question.pk}"]
    for sent in ([*right, foreign], [foreign], ["x"], ["9" * 5000], ["-1"], ["\x00"], ["١"]):
        answer = mine.post(url(course, 1), {f"q{question.pk}": sent})
        assert answer.status_code == 422
        assert "does not belong to its question" in answer.content.decode()
    assert mine.post(url(course, 1), {f"q{other.pk}": [foreign]}).status_code == 422
    assert LessonDone.objects.count() == 0


def test_progress_is_seen_by_its_person_only(course, jona, person, selin):
    browser(jona).post(url(course, 0))
    assert LessonDone.objects.get().person == jona
    course_page = f"/training/courses/{course.pk}/"
    assert "1 of 2 done" in browser(jona).get(course_page).content.decode()
    for other, pages in (
        (person("Ada"), ("/training/", course_page, url(course, 0))),
        (selin, ("/people/training/", f"/people/training/courses/{course.pk}/", "/people/training/completions/", course_page)),
    ):  # fmt: skip
        client = browser(other)
        for page in pages:
            text = client.get(page).content.decode()
            assert ("Jona" in text, "1 of 2 done" in text) == (False, False)
    told = AuditEntry.objects.filter(actor_id=jona.pk).exclude(act="consent.given")
    assert list(told) == []


def test_course_is_renewed_only_when_its_end_is_near(course, jona, selin):
    now = timezone.now()
    today = timezone.localdate(now)
    done = completions.complete(person=jona, course=course, on=today, by=jona, now=now)
    for lesson in course.lesson_set.all():
        assert lessons.finish(lesson=lesson, by=jona, now=now) is None
    Completion.objects.filter(pk=done.pk).update(
        completed_on=today - dt.timedelta(days=300),
        expires_on=today + dt.timedelta(days=30),
    )
    found = [lessons.finish(lesson=lesson, by=jona, now=now) for lesson in course.lesson_set.all()]
    assert (found[0], found[1].completed_on, Completion.objects.count()) == (None, today, 2)


# At the desk -----------------------------------------------------------------------------------


def save(selin, lesson, **fields):
    lesson.refresh_from_db()
    form = {"title": lesson.title, "text": "Some words.", "revision": lesson.revision} | fields
    return browser(selin).post(f"/people/training/lessons/{lesson.pk}/", form)


def up(content, name):
    return SimpleUploadedFile(name, content)


def test_film_needs_captions_before_anybody_sees_it(course, selin, jona):
    lesson = course.lesson_set.first()
    Course.objects.update(published_at=None)
    assert save(selin, lesson, film=up(MP4, "x.exe")).status_code == 302
    act = f"/people/training/courses/{course.pk}/act/"
    page = browser(selin).post(act, {"act": "publish"}, follow=True).content.decode()
    course.refresh_from_db()
    assert ("the film needs captions" in page, course.published_at) == (True, None)
    assert save(selin, lesson, new_captions=up(VTT.encode(), "x.vtt")).status_code == 302
    browser(selin).post(act, {"act": "publish"})
    answer = browser(jona).get(url(course, 0))
    page = answer.content.decode()
    assert ('<track kind="captions"' in page, "<p>Ask &amp; listen. Then write.</p>" in page) == (
        True,
        True,
    )
    assert "<p>Sleep on it.</p>" in page
    assert "media-src 'self'" in answer["Content-Security-Policy"]
    assert "media-src" not in browser(jona).get("/training/")["Content-Security-Policy"]
    lesson.refresh_from_db()
    gone = lesson.video.name
    save(selin, lesson, film=up(WEBM, "y.webm"))
    lesson.refresh_from_db()
    assert (lesson.video_type, lesson.video.name == gone) == ("video/webm", False)


def test_film_is_served_whole_and_in_pieces(course, selin, jona):
    lesson = course.lesson_set.first()
    save(selin, lesson, film=up(MP4, "x.mp4"), new_captions=up(VTT.encode(), "x.vtt"))
    film, mine = f"{url(course, 0)}film/", browser(jona)

    def ask(wanted):
        answer = mine.get(film, headers={"Range": wanted} if wanted else {})
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer.status_code, body, answer.headers.get("Content-Range")

    size = len(MP4)
    assert ask("") == (200, MP4, None)
    assert ask("bytes=0-3") == (206, MP4[:4], f"bytes 0-3/{size}")
    assert ask("bytes=100-") == (206, MP4[100:], f"bytes 100-{size - 1}/{size}")
    assert ask("bytes=-10") == (206, MP4[-10:], f"bytes {size - 10}-{size - 1}/{size}")
    assert ask("bytes=5-999999999") == (206, MP4[5:], f"bytes 5-{size - 1}/{size}")
    assert ask(f"bytes={size}-") == (416, b"", f"bytes */{size}")
    assert ask("bytes=9-3")[0] == 416
    for nonsense in (
        "bytes=",
        "bytes=a-b",
        "lines=1-2",
        "bytes=0-1,4-5",
        "bytes=" + "9" * 5000 + "-",
    ):
        assert ask(nonsense)[:2] == (200, MP4)
    whole = mine.get(film)
    assert (whole["Content-Type"], whole["X-Content-Type-Options"]) == ("video/mp4", "nosniff")
    assert whole["Content-Disposition"].startswith("inline; filename=")
    Course.objects.update(withdrawn_at=timezone.now())
    assert (mine.get(film).status_code, mine.get(url(course, 0)).status_code) == (404, 404)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!doctype html><script>x</script>", "first line must say WEBVTT"),
        (b"WEBVTT", "no line with a time"),
        (b"WEBVTT\n\n00:05.000 --> 00:01.000\nBackwards", "no line with a time"),
        (b"WEBVTT\n\n99:99.000 --> 99:99.000\nNever", "no line with a time"),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"x" * 500_000, "larger than 500 kB"),
        (b"WEBVTT\xff\xfe\x80\n", "not in UTF-8"),
        (b"\xff\xfeW", "not in UTF-8"),
        (b"WEBVTTX\n\n00:00.000 --> 00:01.000\nx", "first line must say WEBVTT"),
    ],
)
def test_file_that_is_no_captions_gets_a_sentence(course, selin, content, said):
    lesson = course.lesson_set.first()
    answer = save(selin, lesson, text="Typed", new_captions=up(content, "x.vtt"))
    page = answer.content.decode()
    lesson.refresh_from_db()
    assert (answer.status_code, said in page, "Typed</textarea>" in page, lesson.captions) == (422, True, True, "")  # fmt: skip


def test_captions_in_utf_16_are_read():
    for coding in ("utf-16", "utf-8-sig"):
        text = captions.read("WEBVTT\r\n\r\n00:00.000 --> 00:01.000\r\nŁukasz\r\n".encode(coding))
        assert captions.transcript(text) == ["Łukasz"]


@pytest.mark.parametrize("case", cases("upload"))
def test_upload_of_the_corpus_is_no_film(case, course, selin):
    content = value(case)
    if not isinstance(content, bytes) or not 0 < len(content) < 1_000_000:
        pytest.skip("no bytes, none, or so many that only their head is read anyway")
    lesson = course.lesson_set.first()
    answer = save(selin, lesson, film=up(content, "a.mp4"))
    lesson.refresh_from_db()
    if answer.status_code == 302:
        assert (lesson.video_type, content[4:8]) == ("video/mp4", b"ftyp")
        return
    assert (answer.status_code, "no MP4 or WebM film" in answer.content.decode()) == (422, True)
    assert lesson.video.name == ""


def test_film_that_is_too_large_gets_a_sentence(course, selin, settings):
    settings.FILM_MEGABYTES = 0
    answer = save(selin, course.lesson_set.first(), film=up(MP4, "x.mp4"))
    assert (answer.status_code, "larger than 0 MB" in answer.content.decode()) == (422, True)


def test_second_save_of_an_old_form_leaves_no_film_behind(course, selin, settings):
    lesson = course.lesson_set.first()
    assert save(selin, lesson, text="First").status_code == 302
    answer = save(selin, lesson, text="Second", revision=1, film=up(MP4, "x.mp4"))
    assert (answer.status_code, "Second</textarea>" in answer.content.decode()) == (422, True)
    assert [path.name for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"question_text": ""}, "Write the question."),
        ({"right": []}, "at least one of them right"),
        ({"answer": ["One", ""]}, "Two to eight answers"),
        ({"answer": ["x" * 301, "b"]}, "301 characters, and 300 fit"),
        ({"question_text": "y" * 501}, "501 characters, and 500 fit"),
        ({"explanation": "z" * 2001}, "At most 2000 characters."),
    ],
)
def test_question_that_cannot_be_is_given_back(course, selin, fields, said):
    lesson = course.lesson_set.first()
    form = {"act": "ask", "question_text": "Why?", "answer": ["One", "Two"], "right": ["0"], "explanation": "So."}  # fmt: skip
    answer = browser(selin).post(f"/people/training/lessons/{lesson.pk}/act/", form | fields)
    page = answer.content.decode()
    assert (answer.status_code, said in page, lesson.question_set.count()) == (422, True, 0)
    assert 'name="explanation"' in page


def test_lessons_change_places_and_go(course, selin):
    def titles():
        return [lesson.title for lesson in course.lesson_set.all()]

    first, second = course.lesson_set.all()
    act = browser(selin)
    act.post(f"/people/training/lessons/{second.pk}/act/", {"act": "up"})
    act.post(f"/people/training/lessons/{second.pk}/act/", {"act": "up"})
    assert titles() == ["Questions", "Faces"]
    act.post(f"/people/training/lessons/{first.pk}/act/", {"act": "remove"})
    assert titles() == ["Questions"]


@pytest.mark.parametrize("count", [1, 3])
def test_lesson_pages_ask_a_constant_number(count, course, selin, jona):
    lesson = course.lesson_set.first()
    for n in range(count):
        lessons.ask(
            lesson=lesson, text=f"Q{n}", answers=[("a", True), ("b", False)], explanation=""
        )
        lessons.add(course=course, title=f"L{n}", by=selin, now=timezone.now())
    asked = {}
    for who, page in (
        (jona, f"/training/lessons/{lesson.pk}/"),
        (jona, f"/training/courses/{course.pk}/"),
        (selin, f"/people/training/lessons/{lesson.pk}/"),
        (selin, f"/people/training/courses/{course.pk}/"),
    ):
        client = browser(who)
        client.get(page)
        with CaptureQueriesContext(connection) as queries:
            client.get(page)
        asked[page.strip("/0123456789")] = len(queries)
    assert asked == {
        "training/lessons": 9,
        "training/courses": 9,
        "people/training/lessons": 7,
        "people/training/courses": 9,
    }


def test_piece_of_a_film_follows_the_header():
    assert films.piece("bytes=0-0", 10) == (0, 0)
    assert films.piece("bytes=-100", 10) == (0, 9)
