"""P10: the check while typing against 2,000 posts on one suggestion, beside comparing with all."""

import http.cookiejar
import random
import statistics
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable

from django.utils import timezone

from ambassadors.models import Person
from campaigns import colleagues, sameness
from campaigns.models import Post, Suggestion

from . import load
from .desk import login
from .result import Result
from .stage import Stage
from .words import WORDS

CHECKS, WARM = 300, 20
_LONG = 40  # words of a text
_GOAL = 100  # ms


def _text(number: int, base: list[str]) -> str:
    """A quarter keeps the draft, a quarter is its own, the rest swaps up to half of the words.

    So texts lie on both sides of the verdict and close to it.
    """
    dice = random.Random(number)  # noqa: S311 - the same in every run
    words = list(base)
    swaps = (0, dice.randrange(_LONG // 2), dice.randrange(_LONG // 2), _LONG)[number % 4]
    for place in dice.sample(range(_LONG), swaps):
        words[place] = dice.choice(WORDS)
    return f"{' '.join(words).capitalize()}."


def _posts(suggestion: Suggestion, people: list[Person], base: list[str]) -> None:
    variant, now = suggestion.variant_set.first(), timezone.now()
    texts = [_text(number, base) for number in range(len(people))]
    Post.objects.bulk_create(
        (
            Post(
                person=who, suggestion=suggestion, variant=variant, network="linkedin",
                how=Post.How.COPIED, submission=uuid.uuid4(), text=text, full_text=text,
                language="de", own_share=0, sha256="0" * 64, created_at=now,
                **sameness.kept(text),
            )
            for who, text in zip(people, texts, strict=True)
        ),
        batch_size=1000,
    )  # fmt: skip


def _exact(text: str, suggestion: Suggestion, person: Person) -> set[int]:
    """The same verdict the long way: read every post, compare with every one."""
    mine = sameness.runs(text)
    rows = Post.objects.filter(suggestion=suggestion).exclude(person=person)
    return {
        author
        for other, author in rows.values_list("text", "person_id")
        if sameness.same(mine, sameness.runs(other))
    }


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    found = work()
    return 1000 * (time.perf_counter() - began), found


class _Typing:
    """Somebody at the open composer: the same request as the page sends while they type."""

    def __init__(self, made: Stage, suggestion: Suggestion, person: Person) -> None:
        self.url = f"http://localhost:{made.port}/suggestions/{suggestion.pk}/"
        self.variant = str(suggestion.variant_set.values_list("pk", flat=True)[0])
        self.session = login(person)
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        opener.open(urllib.request.Request(self.url, headers={"Cookie": self.session})).read()
        self.token = next(one.value or "" for one in jar if one.name == "csrftoken")

    def ask(self, text: str) -> None:
        form = urllib.parse.urlencode({"variant": self.variant, "text": text})
        headers = {
            "Cookie": f"{self.session}; csrftoken={self.token}", "X-CSRFToken": self.token,
            "Referer": self.url,
        }  # fmt: skip
        asked = urllib.request.Request(f"{self.url}voice/", form.encode(), headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert b'name="told"' in answer.read()


def measure(made: Stage, *, size: int) -> list[Result]:
    """The whole answer at p95, and in turns the index beside comparing with all."""
    base = random.Random(0).choices(WORDS, k=_LONG)  # noqa: S311 - the same in every run
    (suggestion,) = load.suggestions(1)
    writer, *people = load.people(size + 1)
    _posts(suggestion, people, base)
    made.start("web")
    typing = _Typing(made, suggestion, writer)
    texts = [_text(10_000_000 + number, base) for number in range(CHECKS)]
    for text in texts[:WARM]:
        typing.ask(text)
    whole = [_timed(lambda text=text: typing.ask(text))[0] for text in texts]  # type: ignore[misc]
    index, exact, same = [], [], 0
    for text in texts:
        asked = {"person": writer, "now": timezone.now()}
        took, told = _timed(lambda: colleagues.saying(text, suggestion, **asked))  # noqa: B023
        index.append(took)
        took, found = _timed(lambda: _exact(text, suggestion, writer))  # noqa: B023
        exact.append(took)
        same += told == colleagues.step(found)  # type: ignore[arg-type]
    tail = statistics.quantiles(whole, n=20)[-1]
    few, many = statistics.median(index), statistics.median(exact)
    return [
        Result(
            f"check while typing against {size:,} posts on one suggestion",
            f"median {statistics.median(whole):.0f} ms, p95 {tail:.0f} ms",
            f"p95 < {_GOAL} ms",
            f"comparing with all: {many:.0f} ms; by the index {few:.1f} ms, ratio {many / few:.1f}",
            kept=tail < _GOAL,
        ),
        Result(
            "the same answer as comparing with all",
            f"{same} of {CHECKS} ({100 * same / CHECKS:.1f} %)",
            "≥ 99 %",
            kept=same >= 0.99 * CHECKS,
        ),
    ]
