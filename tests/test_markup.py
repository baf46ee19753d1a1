"""The small Markdown of longer texts: what it makes, and what can never come out of it."""

import re

import pytest

from integrations.markup import html

from .corpus import cases, value


def test_text_with_all_it_may_hold():
    made = html("# One\n\nA *b* **c** [d](https://x.example/?a=1).\n\n- e\n- f\n\n> g\n\n1. h")
    assert made.split("\n") == [
        "<h2>One</h2>",
        '<p>A <em>b</em> <strong>c</strong> <a href="https://x.example/?a=1"'
        ' rel="noopener noreferrer">d</a>.</p>',
        "<ul>", "<li>e</li>", "<li>f</li>", "</ul>",
        "<blockquote>", "<p>g</p>", "</blockquote>",
        "<ol>", "<li>h</li>", "</ol>", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "x"]
)
def test_link_that_leads_nowhere_good(address):
    assert "href" not in html(f"[a]({address})")


def test_pictures_and_code_stay_text():
    assert html("![a](https://x.example/b.png) `c`") == (
        '<p>!<a href="https://x.example/b.png" rel="noopener noreferrer">a</a> `c`</p>\n'
    )


def test_link_to_a_page_of_ours():
    assert html("[a](/me/)") == '<p><a href="/me/" rel="noopener noreferrer">a</a></p>\n'


@pytest.mark.parametrize("case", cases("html_feed"))
def test_foreign_html_is_text(case):
    made = html(value(case))
    assert set(re.findall(r"<(\w+)[ />]", made)) <= {
        "p",
        "a",
        "br",
        "blockquote",
        "strong",
        "em",
        "ul",
        "li",
    }
    assert re.findall(r"<\w[^>]*\son", made) == []
