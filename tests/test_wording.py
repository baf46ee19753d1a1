"""Own words, gaps, labels and counting, with generated text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import wording
from campaigns.disclosure import Label, complete
from integrations.networks import NETWORKS, counting
from integrations.networks.bluesky import make_tid
from integrations.networks.bluesky_text import facets

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(TEXT)
def test_text_compared_with_itself_has_no_own_word(text):
    cleaned = wording.clean(text)
    assert wording.voice(cleaned, cleaned).percent in range(101)
    words = "six years of work"
    assert wording.voice(words, words).own == 0


@given(st.text(max_size=200))
def test_clean_text_can_be_stored(text):
    cleaned = wording.clean(text)
    assert "\x00" not in cleaned
    cleaned.encode()


@given(TEXT, st.sampled_from(["start", "end"]))
def test_label_is_always_in_what_leaves_and_only_once(text, place):
    label = Label("#NordwindTeam", place, 1)
    once = label.apply(text)
    assert "#NordwindTeam" in once
    assert label.apply(once) == once
    assert complete(text, label, "https://b.example/r/x").endswith("https://b.example/r/x")


@given(TEXT)
def test_every_network_counts_every_text(text):
    assert all(network.length(text) >= 0 for network in NETWORKS.values())


@given(TEXT)
def test_facets_point_at_whole_characters(text):
    full = f"{text} #tag https://ex.example/ä"
    raw = full.encode()
    for facet in facets(full, lambda handle: None):
        raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()


def test_counting_units():
    family = "👩‍👩‍👧‍👦"
    assert counting.graphemes(family) == 1
    assert counting.weighted("漢字") == 4
    assert (
        counting.mastodon("see https://example.org/a-very-long-address-indeed @jona@norden.example")
        == 4 + 23 + 1 + 5
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It began with [your part in it].", ["[your part in it]"]),
        ("It began with [YOUR part].", ["[YOUR part]"]),
        ("It began with [your part in it: concrete].", ["[your part in it: concrete]"]),
        ("It began with concrete [m/w/d].", []),
        ("Thanks @[Max Muster](urn:li:person:abc123)!", []),
        ("[…] and [?]", ["[…]"]),
    ],
)
def test_gap_is_open_while_it_keeps_half_its_words(text, left):
    drafts = ["Six years. [your part in it]", "And so [it] ends. […]"]
    assert wording.open_gaps(text, drafts) == left


def test_gap_is_found_and_tid_sorts():
    assert wording.gaps("a [b] c [d e]") == ["[b]", "[d e]"]
    assert make_tid(1_000_000, 1) < make_tid(1_000_001, 0)
    assert len(make_tid(1_800_000_000_000_000, 1023)) == 13
