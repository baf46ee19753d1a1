"""Writing together: versions, merging, drafts, presence, remarks. No typed sentence is lost."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from ambassadors.models import AuditEntry, Person
from campaigns import contents, merging, suggestions
from campaigns.models import Suggestion, Topic, Variant
from curation import differences, presence
from curation.models import Comment, Draft

from .corpus import cases, value
from .test_loop import DESKTOP, PHONE, Visitor, chromium  # noqa: F401 - a fixture

A, B = "First text.", "Second text."


def form(suggestion=None, **fields):
    """What the editor sends for the stored suggestion, with changes."""
    typed = {
        "topic": Topic.objects.get().pk, "title": "Six years", "language": "en", "tone": "useful",
        "content_class": "employer_brand", "act": "save", "draft": str(uuid.uuid4()), "v_id": "",
        "v_name": "Personal", "v_language": "en", "v_network": "", "v_text": A, "revision": 1,
    }  # fmt: skip
    if suggestion:
        suggestion.refresh_from_db()
        rows = list(suggestion.variant_set.all())
        typed |= {
            "title": suggestion.title, "why": suggestion.why, "revision": suggestion.revision,
            "v_id": [v.pk for v in rows], "v_name": [v.name for v in rows],
            "v_language": [v.language for v in rows], "v_network": [v.network for v in rows],
            "v_text": [v.text for v in rows], "suggestion": suggestion.pk,
            "facts_text": "\n".join(suggestion.facts),
        }  # fmt: skip
    return typed | fields


@pytest.fixture
def curator(person):
    def make(name):
        made = Client()
        made.force_login(person(name, "curator"))
        return made

    return make


@pytest.fixture
def mirja(curator):
    return curator("Mirja Thomsen")


@pytest.fixture
def aylin(curator):
    return curator("Aylin Demir")


@pytest.fixture
def draft_of(suggestion):
    """The suggestion as a draft."""
    Suggestion.objects.update(state="draft", approved_at=None, approved_by=None)
    suggestion.refresh_from_db()
    return suggestion


def url(suggestion, rest=""):
    return f"/desk/suggestions/{suggestion.pk}/{rest}"


def everything(suggestion):
    """All that the history holds, as one text."""
    return str(list(suggestion.versions.values_list("content", flat=True)))


# Merging ------------------------------------------------------------------------------------------


def content(wordings=(), **fields):
    return {
        "fields": {"title": "T", "why": "W", "sites": [], "facts": [], **fields},
        "wordings": [
            {"key": key, "name": "N", "language": "de", "network": "", "text": text}
            for key, text in wordings
        ],
    }


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "wanted"),
    [
        (content(), content(title="M"), content(why="X"), content(title="M", why="X")),
        (content(title="B"), content(title="S"), content(title="S"), content(title="S")),
        (content(sites=[1, 2]), content(sites=[1, 2, 3]), content(sites=[2, 4]), content(sites=[2, 3, 4])),
        (content(facts=["a"]), content(facts=["a", "m"]), content(facts=["t", "a"]), content(facts=["t", "a", "m"])),
        (content([(1, "a"), (2, "b")]), content([(1, "m"), (2, "b")]), content([(1, "a"), (2, "t")]), content([(1, "m"), (2, "t")])),
        (content([(1, "a")]), content([(1, "a"), (None, "m")]), content([(1, "a"), (2, "t")]), content([(1, "a"), (None, "m"), (2, "t")])),
        (content([(1, "a"), (2, "b")]), content([(2, "b")]), content([(1, "a"), (2, "t")]), content([(2, "t")])),
        (content([(1, "a"), (2, "b")]), content([(2, "b"), (1, "a")]), content([(1, "t"), (2, "b")]), content([(2, "b"), (1, "t")])),
    ],
    ids=["fields", "alike", "sets", "lists", "wordings", "both-new", "removed", "order"],
)  # fmt: skip
def test_what_does_not_clash_comes_together(base, mine, theirs, wanted):
    merged = merging.merge(base=base, mine=mine, theirs=theirs)
    assert (merged.content, merged.clashes) == (wanted, ())


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "keys"),
    [
        (content(title="B"), content(title="M"), content(title="S"), ["title"]),
        (content(facts=["a"]), content(facts=["m"]), content(facts=["t"]), ["facts"]),
        (content([(1, "a")]), content([(1, "m")]), content([(1, "t")]), ["wording-1"]),
        (content([(1, "a")]), content([(1, "m")]), content(), ["wording-1"]),
        (content([(1, "a")]), content(), content([(1, "t")]), ["wording-1"]),
        (None, content(title="M"), content(title="S"), ["title"]),
        (content(), content(kinds=[1]), content(kinds=[2]), ["kinds"]),
        (
            content(embargo_until=None, expires_at=None),
            content(embargo_until="2026-12-02", expires_at=None),
            content(embargo_until=None, expires_at="2026-12-01"),
            ["embargo_until", "expires_at"],
        ),
    ],
    ids=[
        "field",
        "list",
        "text",
        "they-removed",
        "i-removed",
        "no-base",
        "field-of-a-later-release",
        "times",
    ],
)
def test_what_clashes_is_asked_with_both_sides(base, mine, theirs, keys):
    merged = merging.merge(base=base, mine=mine, theirs=theirs)
    assert [clash.key for clash in merged.clashes] == keys
    for pick, side in (("mine", mine), ("theirs", theirs)):
        settled = merging.settle(merged, {c.key: getattr(c, pick) for c in merged.clashes})
        assert settled == side


def test_name_and_text_of_one_wording_are_merged_each():
    base, mine, theirs = (content([(1, "a")]) for _ in range(3))
    mine["wordings"][0]["text"], theirs["wordings"][0]["name"] = "m", "Facts"
    merged = merging.merge(base=base, mine=mine, theirs=theirs)
    assert (merged.content["wordings"][0]["text"], merged.content["wordings"][0]["name"]) == (
        "m",
        "Facts",
    )
    assert merged.clashes == ()


# Saving -------------------------------------------------------------------------------------------


def test_every_save_is_a_version_with_its_writer(mirja, aylin, draft_of):
    mirja.post(url(draft_of), form(draft_of, v_text=A))
    aylin.post(url(draft_of), form(draft_of, why="Because of the frost."))
    rows = list(draft_of.versions.order_by("pk").values_list("revision", "kind", "by__name"))
    assert rows == [
        (1, "found", None),
        (2, "saved", "Mirja Thomsen"),
        (3, "saved", "Aylin Demir"),
    ]
    newest = draft_of.versions.first().content
    assert (newest["wordings"][0]["text"], newest["fields"]["why"]) == (A, "Because of the frost.")
    draft_of.refresh_from_db()
    assert contents.stored(draft_of) == newest


def test_two_saves_on_different_places_come_together(mirja, aylin, draft_of):
    mine = form(draft_of, v_text=A)
    aylin.post(url(draft_of), form(draft_of, title="Seven years"))
    page = mirja.post(url(draft_of), mine, follow=True)
    draft_of.refresh_from_db()
    assert (draft_of.title, draft_of.variant_set.get().text) == ("Seven years", A)
    assert "together with what came from Aylin Demir meanwhile: Title." in page.content.decode()


def test_merged_text_is_not_handed_in_unread(mirja, aylin, draft_of):
    mine = form(draft_of, v_text=A, act="hand_in")
    aylin.post(url(draft_of), form(draft_of, title="Seven years"))
    mirja.post(url(draft_of), mine)
    draft_of.refresh_from_db()
    assert (draft_of.state, draft_of.variant_set.get().text) == ("draft", A)


def clash(mirja, aylin, suggestion):
    """Both write on the same wording; Aylin is first. Returns the address of the merge."""
    mine = form(suggestion, v_text=B, why="My reason.")
    aylin.post(url(suggestion), form(suggestion, v_text=A, title="Seven years"))
    answer = mirja.post(url(suggestion), mine)
    assert answer.status_code == 302
    return answer.url


def test_clash_shows_both_and_loses_none(mirja, aylin, draft_of):
    where = clash(mirja, aylin, draft_of)
    page = mirja.get(where).content.decode()
    assert [text in page for text in (A, B, "Seven years")] == [True, True, True]
    draft_of.refresh_from_db()
    assert (draft_of.variant_set.get().text, draft_of.why) == (A, "")
    assert "My reason." in everything(draft_of)
    assert "was not saved, because a colleague saved first" in mirja.get(url(draft_of)).content.decode()  # fmt: skip
    assert aylin.get(where).status_code == 404


@pytest.mark.parametrize(
    ("pick", "hand", "wanted"),
    [("mine", "", B), ("theirs", "", A), ("hand", "From both.", "From both.")],
)
def test_merge_is_saved_without_typing_again(mirja, aylin, draft_of, pick, hand, wanted):
    where = clash(mirja, aylin, draft_of)
    key = f"wording-{draft_of.variant_set.get().pk}"
    draft_of.refresh_from_db()
    picks = {"revision": draft_of.revision, f"pick-{key}": pick, f"hand-{key}": hand}
    mirja.post(where, picks)
    draft_of.refresh_from_db()
    assert (draft_of.variant_set.get().text, draft_of.title, draft_of.why) == (
        wanted,
        "Seven years",
        "My reason.",
    )
    assert "was not saved, because" not in mirja.get(url(draft_of)).content.decode()
    mirja.post(where, picks)  # pressed twice
    assert draft_of.versions.exclude(kind="refused").count() == 3


def test_nothing_is_chosen_beforehand_and_typed_text_stays(mirja, aylin, draft_of):
    where = clash(mirja, aylin, draft_of)
    key = f"wording-{draft_of.variant_set.get().pk}"
    answer = mirja.post(where, {"revision": 2, f"hand-{key}": "Half typed."})
    page = answer.content.decode()
    assert (answer.status_code, "Half typed." in page, "Choose one, or write it by hand." in page) == (422, True, True)  # fmt: skip
    answer = mirja.post(where, {"revision": 2, f"pick-{key}": "hand", f"hand-{key}": "\u3164"})
    assert answer.status_code == 422


def test_third_save_during_a_merge_keeps_the_choices(mirja, aylin, draft_of):
    where = clash(mirja, aylin, draft_of)
    key = f"wording-{draft_of.variant_set.get().pk}"
    aylin.post(url(draft_of), form(draft_of, v_text="Third text."))
    answer = mirja.post(where, {"revision": 2, f"pick-{key}": "hand", f"hand-{key}": "From both."})
    page = mirja.get(answer.url).content.decode()
    assert [text in page for text in ("From", "Third")] == [True, True]
    assert answer.url != where


def test_put_aside_stays_in_the_history(mirja, aylin, draft_of):
    where = clash(mirja, aylin, draft_of)
    mirja.post(f"{where}aside/")
    assert "was not saved, because" not in mirja.get(url(draft_of)).content.decode()
    assert "My reason." in everything(draft_of)


def test_same_text_again_saves_nothing_and_keeps_the_approval(mirja, suggestion):
    typed = form(suggestion)
    mirja.post(url(suggestion), typed)
    suggestion.refresh_from_db()
    assert (suggestion.state, suggestion.revision, suggestion.versions.count()) == ("approved", 1, 0)  # fmt: skip
    mirja.post(url(suggestion), {**typed, "v_text": A})
    mirja.post(url(suggestion), {**typed, "v_text": A})  # pressed twice: stale, but equal
    suggestion.refresh_from_db()
    assert (suggestion.state, suggestion.revision) == ("draft", 2)


def test_new_suggestion_sent_twice_is_one(mirja, topic):
    typed = form(title="New one")
    first = mirja.post("/desk/suggestions/new/", typed)
    second = mirja.post("/desk/suggestions/new/", {**typed, "v_text": "First text, longer."})
    assert (first.url, Suggestion.objects.count()) == (second.url, 1)
    assert [v.text for v in Suggestion.objects.get().variant_set.all()] == ["First text, longer."]
    mirja.post("/desk/suggestions/new/", form(title="Another one"))
    assert Suggestion.objects.count() == 2


def test_wording_of_another_suggestion_is_never_touched(mirja, draft_of, topic):
    mirja.post("/desk/suggestions/new/", form(title="New one"))
    other = Suggestion.objects.get(title="New one")
    foreign = other.variant_set.get()
    mirja.post(url(draft_of), form(draft_of, v_id=foreign.pk, v_text="Stolen."))
    foreign.refresh_from_db()
    assert (foreign.text, foreign.suggestion_id) == (A, other.pk)
    assert [v.text for v in draft_of.variant_set.all()] == ["Stolen."]


@pytest.mark.django_db(transaction=True)
def test_curators_who_save_the_same_second_lose_nothing(person, suggestion):
    Suggestion.objects.update(state="draft", approved_at=None, approved_by=None)
    clients = []
    for name in ("Mirja", "Aylin", "Dilan", "Nam"):
        made = Client()
        made.force_login(person(name, "curator"))
        clients.append(made)
    base, start, codes = form(suggestion), threading.Barrier(4), []

    def save(client, number):
        typed = {**base, "draft": str(uuid.uuid4()), "v_text": f"Sentence {number}.", "why": f"Reason {number}."}  # fmt: skip
        start.wait()
        codes.append(client.post(url(suggestion), typed).status_code)
        connection.close()

    threads = [threading.Thread(target=save, args=(c, n)) for n, c in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = everything(suggestion)
    assert codes == [302] * 4
    assert [n for n in range(4) if f"Sentence {n}." not in kept or f"Reason {n}." not in kept] == []
    assert sorted(suggestion.versions.values_list("kind", flat=True)) == ["found", "refused", "refused", "refused", "saved"]  # fmt: skip
    codes.clear()
    new = form(title="New one")

    def write(client, number):
        start.wait()
        codes.append(client.post("/desk/suggestions/new/", new).status_code)
        connection.close()

    threads = [threading.Thread(target=write, args=(clients[0], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (codes, Suggestion.objects.filter(title="New one").count()) == ([302] * 4, 1)


def test_approval_of_a_stale_version_is_refused_with_a_sentence(mirja, aylin, draft_of):
    mirja.post(url(draft_of), form(draft_of, v_text="A [gap] text.", act="hand_in"))
    draft_of.refresh_from_db()
    seen = draft_of.revision
    mirja.post(url(draft_of), form(draft_of, v_text="Another [gap] text."))
    page = aylin.post(url(draft_of, "review/"), {"act": "approve", "revision": seen}, follow=True)
    draft_of.refresh_from_db()
    assert draft_of.state != "approved"
    assert "changed since you opened it" in page.content.decode()


def test_every_column_is_in_the_history_or_is_a_decision():
    decisions = {
        "id", "slug", "state", "revision", "author", "owner", "pattern", "approved_by", "approved_at",
        "returned_note", "changed_at", "held_at", "held_by", "held_reason",
        "hold_epoch", "changed_by", "handed_in_at", "campaign",
    }  # fmt: skip
    meta = Suggestion._meta
    found = {field.name for field in (*meta.concrete_fields, *meta.many_to_many)}
    kept = {name.removesuffix("_id") for name in contents.COLUMNS} | set(contents.SETS)
    assert found - kept - decisions == set()
    assert set(differences.field_names()) >= {*contents.COLUMNS, *contents.SETS, "alt"}


def test_save_by_another_door_is_a_version_too(person, draft_of):
    writer, now = person("Dilan", "curator"), timezone.now()
    draft_of.title = "By a feed"
    rows = list(draft_of.variant_set.all())
    suggestions.save(suggestion=draft_of, variants=rows, seen_revision=1, by=writer, now=now)
    assert [v.revision for v in draft_of.versions.all()] == [2, 1]
    assert [v.content["fields"]["title"] for v in draft_of.versions.all()] == ["By a feed", "Six years"]  # fmt: skip
    with pytest.raises(suggestions.StaleRevision):
        suggestions.save(suggestion=draft_of, variants=rows, seen_revision=1, by=writer, now=now)


def test_act_on_the_board_meanwhile_is_no_clash(mirja, aylin, draft_of, topic):
    mirja.post(url(draft_of), form(draft_of, v_text=A))
    mine = form(draft_of, v_text=B)
    later = timezone.now() + dt.timedelta(days=2)
    Suggestion.objects.filter(pk=draft_of.pk).update(revision=3)
    seen = form(draft_of, why="Seen at three.")
    Suggestion.objects.filter(pk=draft_of.pk).update(revision=4, embargo_until=later)
    assert (mine["revision"], seen["revision"]) == (2, 3)
    assert "/merge/" not in mirja.post(url(draft_of), mine).url
    assert "/merge/" not in aylin.post(url(draft_of), seen | {"v_text": A}).url
    draft_of.refresh_from_db()
    assert (draft_of.variant_set.get().text, draft_of.why, bool(draft_of.embargo_until)) == (B, "Seen at three.", True)  # fmt: skip


# History ------------------------------------------------------------------------------------------


def test_old_version_comes_back_as_a_new_save(mirja, draft_of):
    old = draft_of.variant_set.get().pk
    mirja.post(url(draft_of), form(draft_of, v_id="", v_text=A, title="Changed"))
    assert not Variant.objects.filter(pk=old).exists()
    first = draft_of.versions.get(revision=1)
    draft_of.refresh_from_db()
    mirja.post(url(draft_of, f"history/{first.pk}/restore/"), {"revision": 1})
    assert draft_of.versions.count() == 2  # stale
    mirja.post(url(draft_of, f"history/{first.pk}/restore/"), {"revision": draft_of.revision})
    draft_of.refresh_from_db()
    back = draft_of.variant_set.get()
    assert (back.pk, back.text, draft_of.title) == (old, first.content["wordings"][0]["text"], "Six years")  # fmt: skip
    newest = draft_of.versions.first()
    assert (newest.kind, newest.restored_from, newest.revision) == ("restored", 1, 3)


def test_version_of_an_earlier_release_comes_back(mirja, draft_of):
    mirja.post(url(draft_of), form(draft_of, title="Changed"))
    first = draft_of.versions.get(revision=1)
    for name in ("offer_name", "kinds", "audience_interests"):
        del first.content["fields"][name]
    first.save()
    mirja.post(url(draft_of, f"history/{first.pk}/restore/"), {"revision": 2})
    draft_of.refresh_from_db()
    assert (draft_of.title, draft_of.offer_name) == ("Six years", "")


def test_restore_leaves_what_was_deleted_since(mirja, draft_of):
    from ambassadors.models import Site

    site = Site.objects.create(name="Lohe")
    mirja.post(url(draft_of), form(draft_of, sites=[site.pk]))
    mirja.post(url(draft_of), form(draft_of, title="Changed"))
    site.delete()
    second = draft_of.versions.get(revision=2)
    draft_of.refresh_from_db()
    answer = mirja.post(url(draft_of, f"history/{second.pk}/restore/"), {"revision": 3})
    draft_of.refresh_from_db()
    assert (answer.status_code, draft_of.title, draft_of.sites.count()) == (302, "Six years", 0)


def test_difference_is_marked_word_by_word():
    assert differences.words("Six years of work.", "Six long years of joy.") == [
        ("same", "Six "), ("new", "long "), ("same", "years of "), ("gone", "work."), ("new", "joy."),
    ]  # fmt: skip
    assert differences.words("", "New.") == [("new", "New.")]


@pytest.mark.parametrize("unit", ["wind ", "a", "One sentence. ", "x\n"])
def test_difference_of_huge_texts_is_found(unit):
    old, new = unit * 20_000 + "end", "begin " + unit * 19_000
    runs = differences.words(old, new)
    assert "".join(text for kind, text in runs if kind != "gone") == new


def test_history_shows_the_difference_of_any_two(mirja, draft_of):
    mirja.post(url(draft_of), form(draft_of, v_text=A))
    mirja.post(url(draft_of), form(draft_of, v_text=B))
    page = mirja.get(url(draft_of, "history/")).content.decode()
    assert "First </del>" in page and "Second </ins>" in page
    one, three = draft_of.versions.get(revision=1), draft_of.versions.get(revision=3)
    page = mirja.get(url(draft_of, f"history/?a={three.pk}&b={one.pk}")).content.decode()
    assert "From version 1 to 3" in page


@pytest.mark.parametrize("query", ["?a=x&b=99999999999999999999", "?a=-1", "?from=%C3%BC", "?page=99"])  # fmt: skip
def test_history_takes_strange_addresses(mirja, draft_of, query):
    assert mirja.get(url(draft_of, f"history/{query}")).status_code == 200


# Drafts -------------------------------------------------------------------------------------------


def keep(client, key, **fields):
    return client.post(f"/desk/drafts/{key}/", form(**fields))


def test_unsaved_text_is_offered_to_its_person_only(mirja, aylin, draft_of):
    key = uuid.uuid4()
    assert keep(mirja, key, suggestion=draft_of, v_text="Not saved sentence.").status_code == 200
    keep(aylin, key, suggestion=draft_of, v_text="Aylin's sentence.")
    page = mirja.get(url(draft_of)).content.decode()
    assert f"?draft={key}" in page
    taken = mirja.get(url(draft_of, f"?draft={key}")).content.decode()
    assert ("Not saved sentence." in taken, "Aylin's" in taken, f'value="{key}"' in taken) == (True, False, True)  # fmt: skip
    other = uuid.uuid4()
    keep(aylin, other, suggestion=draft_of)
    assert str(other) not in page + mirja.get(url(draft_of)).content.decode()
    assert draft_of.versions.count() == 0


def test_unsaved_text_of_a_new_suggestion_is_offered(mirja, topic):
    key = uuid.uuid4()
    keep(mirja, key, title="Begun", v_text="Not saved sentence.")
    assert f"?draft={key}" in mirja.get("/desk/suggestions/new/").content.decode()
    page = mirja.get(f"/desk/suggestions/new/?draft={key}").content.decode()
    assert ("Not saved sentence." in page, 'value="Begun"' in page) == (True, True)


def test_draft_goes_with_the_save_and_a_late_one_stays_away(mirja, draft_of):
    typed = form(draft_of, v_text=A)
    key = typed["draft"]
    keep(mirja, key, suggestion=draft_of, v_text=A)
    mirja.post(url(draft_of), typed)
    keep(mirja, key, suggestion=draft_of, v_text=A)
    assert Draft.objects.count() == 0


def test_drafts_show_their_titles(mirja, draft_of):
    keep(mirja, uuid.uuid4(), suggestion=draft_of, title="A title of tonight")
    assert "A title of tonight" in mirja.get(url(draft_of)).content.decode()


def test_draft_on_an_old_revision_is_merged_when_saved(mirja, aylin, draft_of):
    key = uuid.uuid4()
    keep(mirja, key, suggestion=draft_of, v_text=B)
    aylin.post(url(draft_of), form(draft_of, title="Seven years"))
    page = mirja.get(url(draft_of, f"?draft={key}")).content.decode()
    assert 'name="revision" value="1"' in page
    mirja.post(url(draft_of), form(draft_of, v_text=B, title="Six years", revision=1, draft=key))
    draft_of.refresh_from_db()
    assert (draft_of.title, draft_of.variant_set.get().text, Draft.objects.count()) == ("Seven years", B, 0)  # fmt: skip


def test_discarded_draft_is_gone_and_nobody_elses(mirja, aylin, draft_of):
    key = uuid.uuid4()
    keep(mirja, key, suggestion=draft_of)
    aylin.post(f"/desk/drafts/{key}/discard/")
    assert Draft.objects.count() == 1
    mirja.post(f"/desk/drafts/{key}/discard/")
    assert Draft.objects.count() == 0


def test_draft_that_is_too_large_is_said(mirja, draft_of):
    answer = keep(mirja, uuid.uuid4(), suggestion=draft_of, v_text="ü" * 600_000)
    assert (answer.status_code, "Please save" in answer.content.decode()) == (413, True)


def test_refused_form_is_kept_as_a_draft(mirja, draft_of):
    mirja.post(url(draft_of), form(draft_of, title="", v_text="Kept sentence."))
    assert "Kept+sentence" in Draft.objects.get().form


# Presence -----------------------------------------------------------------------------------------


def test_others_are_here_until_their_sign_is_old(person, draft_of):
    mirja, aylin, now = person("Mirja"), person("Aylin"), timezone.now()
    assert presence.here(suggestion_id=draft_of.pk, person=mirja, now=now) == []
    assert presence.here(suggestion_id=draft_of.pk, person=aylin, now=now) == ["Mirja"]
    assert presence.here(suggestion_id=draft_of.pk + 1, person=aylin, now=now) == []
    later = now + dt.timedelta(seconds=presence.SECONDS + 1)
    assert presence.here(suggestion_id=draft_of.pk, person=aylin, now=later) == []
    presence.gone(suggestion_id=draft_of.pk, person=aylin)
    assert presence.here(suggestion_id=draft_of.pk, person=mirja, now=later) == []


def test_presence_without_redis_is_nobody(person, draft_of, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    presence._client.cache_clear()
    try:
        assert presence.here(suggestion_id=1, person=person("Mirja"), now=timezone.now()) == []
    finally:
        presence._client.cache_clear()


def test_open_page_hears_who_is_here_and_who_saved(mirja, aylin, draft_of):
    aylin.get(url(draft_of))
    aylin.post(url(draft_of), form(draft_of, title="Seven years"))
    page = mirja.post(url(draft_of, "here/"), {"revision": 1}).content.decode()
    assert ("Aylin Demir is here." in page, "Aylin Demir saved at" in page) == (True, True)
    page = mirja.post(url(draft_of, "here/"), {"revision": 2}).content.decode()
    assert "saved at" not in page


# Remarks ------------------------------------------------------------------------------------------


def test_remark_is_said_answered_settled_and_opened_again(mirja, aylin, draft_of):
    say = url(draft_of, "remarks/")
    mirja.post(say, {"remark": "new", "comment-new": "Is 14 right?"}, headers={"HX-Request": "1"})
    root = Comment.objects.get()
    aylin.post(say, {"remark": f"settle-{root.pk}"}, headers={"HX-Request": "1"})
    root.refresh_from_db()
    assert root.settled_by.name == "Aylin Demir"
    aylin.post(say, {"remark": f"answer-{root.pk}", f"comment-{root.pk}": "Yes."}, headers={"HX-Request": "1"})  # fmt: skip
    root.refresh_from_db()
    assert (root.settled_at, [a.text for a in root.answers.all()]) == (None, ["Yes."])
    mirja.post(url(draft_of), form(draft_of, v_text=A))
    page = mirja.get(url(draft_of)).content.decode()
    assert ("Is 14 right?" in page, "Yes." in page) == (True, True)


def test_remark_without_script_leaves_the_typed_text(mirja, draft_of):
    typed = form(draft_of, v_text="Half typed.", remark="new", **{"comment-new": "Look."})
    page = mirja.post(url(draft_of, "remarks/"), typed).content.decode()
    assert ("Half typed." in page, "Look." in page, Comment.objects.count()) == (True, True, 1)


def test_remark_typed_beside_a_save_is_said(mirja, draft_of):
    typed = form(
        draft_of, v_text=A, **{"comment-new": "Not sent by its button.", "comment-99": "x"}
    )
    mirja.post(url(draft_of), typed)
    assert [c.text for c in Comment.objects.order_by("pk")] == ["Not sent by its button."]


def test_remark_typed_elsewhere_stays_when_another_is_said(mirja, draft_of):
    say = url(draft_of, "remarks/")
    mirja.post(say, {"remark": "new", "comment-new": "First."}, headers={"HX-Request": "1"})
    root = Comment.objects.get()
    page = mirja.post(say, {"remark": f"settle-{root.pk}", "comment-new": "Half typed."}, headers={"HX-Request": "1"})  # fmt: skip
    assert "Half typed." in page.content.decode()


@pytest.mark.parametrize("text", ["", " \t\u00a0\n", "\u3164\u2800", "x" * 2001, "a" + "\u0301" * 99])  # fmt: skip
def test_remark_that_says_nothing_is_refused_with_its_text(mirja, draft_of, text):
    answer = mirja.post(url(draft_of, "remarks/"), {"remark": "new", "comment-new": text}, headers={"HX-Request": "1"})  # fmt: skip
    assert (answer.status_code, Comment.objects.count(), 'class="error"' in answer.content.decode()) == (200, 0, True)  # fmt: skip


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("text"))
def test_text_case_through_the_editor(mirja, draft_of, case):
    from campaigns import wording

    if "raw_json" in case:
        pytest.skip("a form has no raw JSON")
    typed, before = value(case), draft_of.variant_set.get().text
    answer = mirja.post(url(draft_of), form(draft_of, v_text=typed, act="hand_in"))
    draft_of.refresh_from_db()
    texts = [v.text for v in draft_of.variant_set.all()]
    if case["expect"] == "reject":
        assert draft_of.state == "draft"
        assert answer.status_code in case.get("status", [302, 422])
        assert texts in ([], [before])
        return
    assert answer.status_code == 302
    assert texts == [case.get("stored", wording.clean(typed))]
    page = mirja.get(url(draft_of)).content.decode()
    assert "<script>alert" not in page
    assert mirja.get(url(draft_of, "history/")).status_code == 200


def test_hundred_thousand_characters_are_refused_and_kept(mirja, draft_of):
    long = "Wind und Wetter. " * 6_000
    answer = mirja.post(url(draft_of), form(draft_of, v_text=long))
    page = answer.content.decode()
    assert (answer.status_code, long.strip() in page, "no network takes more than 20000" in page) == (422, True, True)  # fmt: skip
    assert 'href="#wording-0"' in page
    assert "Wind+und+Wetter" in Draft.objects.get().form


def test_more_wordings_than_allowed_are_refused_and_none_is_lost(mirja, draft_of):
    many = [f"Wording number {n}." for n in range(25)]
    typed = form(draft_of, v_text=many, v_id=[""] * 25, v_name=["N"] * 25, v_language=["en"] * 25, v_network=[""] * 25)  # fmt: skip
    answer = mirja.post(url(draft_of), typed)
    page = answer.content.decode()
    assert (answer.status_code, [text for text in many if text not in page]) == (422, [])


FIELDS = ["title", "why", "v_name", "v_text", "facts_text", "alt", "revision", "v_id", "draft", "embargo_until", "topic"]  # fmt: skip


@pytest.mark.parametrize("bad", [b"a%00b", b"a%ED%A0%80b", b"9" * 5000, b"%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9", b"%E2%80%AEgpj"])  # fmt: skip
def test_strange_bytes_in_every_field_are_no_error_of_ours(mirja, draft_of, bad):
    from urllib.parse import urlencode

    def send(where, *names):
        typed = {**form(draft_of), **dict.fromkeys(names, "HERE")}
        body = urlencode(typed, doseq=True).encode().replace(b"HERE", bad)
        kind = "application/x-www-form-urlencoded"
        return mirja.post(where, body, content_type=kind).status_code

    codes = {name: send(url(draft_of), name) for name in FIELDS}
    assert set(codes.values()) <= {302, 422}, codes
    assert send(f"/desk/drafts/{uuid.uuid4()}/", *FIELDS) == 200
    assert send(url(draft_of, "remarks/"), *FIELDS, "remark", "comment-new") == 200
    assert send(url(draft_of, "here/"), *FIELDS) == 200
    assert mirja.get(url(draft_of)).status_code == 200


@pytest.mark.parametrize("when", ["2026-03-29T02:30", "2026-10-25T02:30", "9999-12-31T23:59", "0001-01-01T00:00", "x"])  # fmt: skip
def test_strange_times_get_a_sentence_and_stay(mirja, draft_of, when):
    answer = mirja.post(url(draft_of), form(draft_of, embargo_until=when, v_text="Kept sentence."))
    assert answer.status_code in {302, 422}
    if answer.status_code == 422:
        page = answer.content.decode()
        assert (when in page, "Kept sentence." in page, 'href="#embargo_until"' in page) == (True, True, True)  # fmt: skip


def test_checks_and_errors_jump_to_their_fields(mirja, draft_of):
    page = mirja.get(url(draft_of)).content.decode()
    answer = mirja.post(url(draft_of), form(draft_of, title="", link_url="ftp://x.example", v_text="No gap."))  # fmt: skip
    page = answer.content.decode()
    targets = [name for name in ("title", "link_url", "wording-0") if f'href="#{name}"' in page]
    assert targets == ["title", "link_url", "wording-0"]
    assert [name for name in targets if f'id="{name}"' not in page] == []


# Cost and doors -----------------------------------------------------------------------------------


def fill(suggestion, client, many):
    for number in range(many):
        names = [f"Wording {n}" for n in range(number + 1)]
        client.post(url(suggestion), form(suggestion, v_text=[f"Text {n} of {number}." for n in range(number + 1)], v_name=names, v_id=[""] * (number + 1), v_language=["en"] * (number + 1), v_network=[""] * (number + 1)))  # fmt: skip
        client.post(url(suggestion, "remarks/"), {"remark": "new", "comment-new": f"Remark {number}"}, headers={"HX-Request": "1"})  # fmt: skip
        client.post(f"/desk/drafts/{uuid.uuid4()}/", form(suggestion))


@pytest.mark.parametrize("many", [1, 3])
def test_pages_cost_the_same_with_more_of_everything(mirja, draft_of, django_assert_num_queries, many):  # fmt: skip
    fill(draft_of, mirja, many)
    with django_assert_num_queries(EDITOR):
        mirja.get(url(draft_of))
    with django_assert_num_queries(HISTORY):
        mirja.get(url(draft_of, "history/"))


EDITOR, HISTORY = 22, 11


def test_save_costs_the_same_with_more_history(mirja, draft_of, django_assert_num_queries):
    fill(draft_of, mirja, 1)
    typed = form(draft_of, title="One more")
    with django_assert_num_queries(SAVE):
        mirja.post(url(draft_of), typed)
    fill(draft_of, mirja, 1)
    fill(draft_of, mirja, 1)
    typed = form(draft_of, title="And one more")
    with django_assert_num_queries(SAVE):
        mirja.post(url(draft_of), typed)


SAVE = 29


@pytest.mark.parametrize("role", [(), ("hr",), ("auditor",)])
def test_only_curators_reach_the_writing(person, draft_of, role):
    visitor = Client()
    visitor.force_login(person("Jona", *role))
    key = uuid.uuid4()
    found = [
        visitor.post(where).status_code
        for where in (
            url(draft_of, "history/"), url(draft_of, "history/1/restore/"), url(draft_of, "merge/1/"), url(draft_of, "merge/1/aside/"),
            url(draft_of, "remarks/"), url(draft_of, "here/"), f"/desk/drafts/{key}/", f"/desk/drafts/{key}/discard/",
        )
    ]  # fmt: skip
    assert found == [403] * 8


def test_audit_names_the_steps_without_the_text(mirja, aylin, draft_of):
    where = clash(mirja, aylin, draft_of)
    mirja.post(f"{where}aside/")
    acts = list(AuditEntry.objects.filter(act__startswith="suggestion").order_by("pk").values_list("act", flat=True))  # fmt: skip
    assert acts == ["suggestion.changed", "suggestion.refused", "suggestion.put_aside"]
    assert "text." not in str(list(AuditEntry.objects.values_list("facts", flat=True)))


def test_erased_person_leaves_versions_without_a_name(mirja, draft_of):
    mirja.post(url(draft_of), form(draft_of, v_text=A))
    keep(mirja, uuid.uuid4(), suggestion=draft_of)
    writer = Person.objects.get(name="Mirja Thomsen")
    writer.delete()
    assert (Draft.objects.count(), draft_of.versions.first().by_id) == (0, None)
    assert draft_of.versions.first().content["wordings"][0]["text"] == A


# In a browser -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_typed_text_survives_a_crash_and_a_dead_network(chromium, live_server, person, suggestion):
    visitor = Visitor(chromium, live_server.url, PHONE)
    visitor.login(person("Mirja Thomsen", "curator"))
    page, where = visitor.page, f"{live_server.url}{url(suggestion)}"
    page.goto(where)
    page.locator("#wording-0").fill("Typed before the crash. [gap]")
    page.get_by_text("Kept at").wait_for()
    visitor.check()
    page.goto("about:blank")
    page.goto(where)
    visitor.check()
    page.get_by_role("link", name="Take it over").click()
    assert page.locator("#wording-0").input_value() == "Typed before the crash. [gap]"
    assert visitor.trouble == []
    visitor.context.set_offline(True)
    page.locator("#wording-0").fill("Typed without a network. [gap]")
    page.get_by_text("No connection.").wait_for()
    visitor.context.set_offline(False)
    page.get_by_text("Kept at").wait_for()
    assert "Typed+without+a+network" in Draft.objects.get().form
    page.locator("#title").press("Control+s")
    page.get_by_text("Saved.").wait_for()
    page.wait_for_function("() => localStorage.length === 0")
    assert Draft.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_merge_and_history_are_accessible(chromium, live_server, curator, person, draft_of):
    writer = person("Mirja Thomsen", "curator")
    mirja = Client()
    mirja.force_login(writer)
    where = clash(mirja, curator("Aylin Demir"), draft_of)
    visitor = Visitor(chromium, live_server.url, DESKTOP)
    visitor.login(writer)
    for place in (url(draft_of), url(draft_of, "history/"), where):
        visitor.page.set_viewport_size(DESKTOP)
        visitor.page.goto(live_server.url + place)
        visitor.check()
        visitor.page.set_viewport_size(PHONE)
        visitor.check()
    visitor.page.get_by_role("radio", name="Yours").check()
    visitor.page.get_by_role("button", name="Save it like this").press("Enter")
    visitor.page.get_by_text("Saved, brought together.").wait_for()
    assert visitor.trouble == []
