"""The label in every cell of the table, on copied and on published text; the table's versions."""

import contextlib
import io
import itertools
import threading
import uuid
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone, translation
from PIL import Image

from ambassadors.models import AuditEntry, Site
from campaigns import deliveries, disclosure, shares, uploads
from campaigns.disclosure import Label, Rule
from campaigns.models import (
    DisclosureRule,
    DisclosureTable,
    Evidence,
    Post,
    Programme,
    Suggestion,
    Variant,
)
from campaigns.models.programme import ContentClass
from campaigns.outgoings import outgoing
from campaigns.share_checks import ShareRefused
from campaigns.shares import Words
from integrations import accounts
from integrations.networks import NETWORKS
from integrations.networks.base import Identity, Picture, Window

from .conftest import browser
from .networks import pretended

TEXT = "I stood below turbine 9 and heard it hum."
PUBLISHING = [name for name, network in NETWORKS.items() if network.abilities.can_publish]


def rule(content_class, language, label, place, network="", country=""):
    return Rule(content_class, language, label, place, network, country)


def table():
    """Every class in both languages; Austria has its own word, X a short one, Wall one in AT."""
    words = {"de": ("Werbung:", "Anzeige:", "Wand:"), "en": ("Ad:", "Advert:", "Wall:")}
    rules = []
    for kind, language in itertools.product(ContentClass.values, ("de", "en")):
        ad, austrian, wall = words[language]
        if kind in {"product", "job_ad"}:
            rules += [
                rule(kind, language, ad, "start"),
                rule(kind, language, austrian, "start", country="AT"),
                rule(kind, language, wall, "start", "wall", "AT"),
            ]
        else:
            rules += [
                rule(kind, language, f"#{kind}_{language}", "end"),
                rule(kind, language, f"#{language}", "end", "x"),
            ]
    return rules


def expected(kind, network, language, country):
    """Written out again, so that the table's own look-up is not its judge."""
    text = f"{kind}: {TEXT}"
    if kind in {"product", "job_ad"}:
        german = language == "de"
        if country == "AT":
            if network == "wall":
                return f"{'Wand:' if german else 'Wall:'} {text}"
            return f"{'Anzeige:' if german else 'Advert:'} {text}"
        return f"{'Werbung:' if german else 'Ad:'} {text}"
    return f"{text} #{language}" if network == "x" else f"{text} #{kind}_{language}"


def cells(language, country, networks):
    """Every cell of one language and country."""
    return {
        (kind, name): expected(kind, name, language, country)
        for kind in ContentClass.values
        for name in networks
    }


@pytest.fixture(scope="module")
def servers():
    """One pretended server of each network that can publish."""
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        found = {}
        for name in PUBLISHING:
            found[name] = stack.enter_context(pretended(name)())
            for key, value in found[name].environment().items():
                patch.setenv(key, value)
        yield found


def said(server, remote_id):
    """The text of the latest post as the pretended network holds it."""
    match server.network:
        case "wall":
            return server.posts[remote_id]["text"]
        case "mastodon":
            return server.statuses[remote_id]["text"]
        case "bluesky":
            return server.records[remote_id]["text"]
    return next(row["text"] for row in reversed(server.ledger) if row["kind"] == "created")


@pytest.fixture
def in_force(db, person):
    def put(rules):
        programme = Programme.the()
        made = disclosure.propose(
            rules=rules, note="", by=person("Mirja", "curator"), now=timezone.now()
        )
        disclosure.put_in_force(table=made, by=person("Piet", "administrator"), now=timezone.now())
        assert programme.two_person_review
        return made

    return put


@pytest.fixture
def picture(db):
    out = io.BytesIO()
    Image.new("RGB", (60, 40)).save(out, "JPEG")
    return uploads.store(uploads.jpeg(out.getvalue()), by=None)


@pytest.fixture
def somebody(person):
    def make(country):
        site = Site.objects.create(slug=f"s{country}", name="Site", country=country or "DE")
        return person("Jona", site=site)

    return make


@pytest.fixture
def about(person, topic):
    """An approved suggestion of a class with a wording in a language."""

    author, approver = person("Mirja"), person("Dilan")

    def make(kind, language, picture=None):
        now = timezone.now()
        made = Suggestion.objects.create(
            topic=topic, title="T", language=language, content_class=kind, author=author, picture=picture,
            state="approved", approved_by=approver, approved_at=now, changed_at=now, revision=4,
        )  # fmt: skip
        return made, Variant.objects.create(
            suggestion=made, name="P", language=language, text="Draft [gap]."
        )

    return make


@pytest.mark.parametrize("country", ["", "AT"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_copied_text_carries_the_label_of_its_cell(in_force, somebody, about, language, country):
    made, jona = in_force(table()), somebody(country)
    for kind, network in itertools.product(ContentClass.values, NETWORKS):
        suggestion, variant = about(kind, language)
        words = Words(f"{kind}: {TEXT}", variant, uuid.uuid4())
        shares.hand_over(by=jona, suggestion=suggestion, words=words, network=network, how="copied", now=timezone.now())  # fmt: skip
    wanted = cells(language, country, NETWORKS)
    assert texts(Post, "full_text") == texts(Evidence, "text") == wanted
    assert set(Post.objects.values_list("disclosure_version", "suggestion_revision")) == {
        (made.version, 4)
    }


def texts(model, column):
    """What stands in the rows, by cell."""
    rows = model.objects.values_list("content_class", "network", column)
    return {(kind, network): text for kind, network, text in rows}


@pytest.mark.parametrize("country", ["", "AT"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_published_text_carries_the_label_of_its_cell(
    in_force, somebody, about, servers, picture, language, country
):
    in_force(table())
    jona, there = somebody(country), {}
    for name, server in servers.items():
        access, account = connected(jona, server)
        for kind in ContentClass.values:
            suggestion, variant = about(kind, language, picture)
            words = Words(f"{kind}: {TEXT}", variant, uuid.uuid4())
            now = timezone.now()
            posts = shares.share(by=jona, suggestion=suggestion, words=words, accounts=[account], due_at=now, now=now)  # fmt: skip
            remote_id = publish(posts[0].delivery, NETWORKS[name], server, access)
            there[kind, name] = said(server, remote_id)
    assert there == texts(Evidence, "text") == cells(language, country, PUBLISHING)


def connected(who, server):
    """A fresh account of the pretended network, as the network and as we know it."""
    access = server.access(str(uuid.uuid4().int)[:12])
    identity = Identity(access.remote_account_id, "@j", "J", "")
    return access, accounts.connect(
        person=who, network=server.network, base_url=server.base_url, identity=identity,
        secrets_=access.secrets, expires_at=None, features=access.features, now=timezone.now(),
    )  # fmt: skip


def publish(delivery, network, server, access):
    """Send what would leave through the network's own code, and settle it."""
    now = timezone.now()
    leaves = replace(outgoing(delivery), pictures=())
    if network.abilities.needs_picture:
        seen = Picture(b"jpeg", "image/jpeg", "A", 600, 400, server.picture_url)
        leaves = replace(leaves, pictures=(seen,))
    window = Window(seconds=5.0, may_start=lambda: None, now=now)
    leaves = replace(leaves, kept=network.prepare(leaves, access, window))
    sent = network.publish(leaves, access, window)
    deliveries.mark_sent(delivery, sent.remote_id, "", now=now)
    return sent.remote_id


@pytest.mark.parametrize(
    ("label", "place", "text", "full"),
    [
        ("Ad:", "start", "Ad: a pump", "Ad: a pump"),
        ("Ad", "start", "Adam built it", "Ad Adam built it"),
        ("Ad:", "start", "Ad:", "Ad:"),
        ("#Team", "end", "We are #Team", "We are #Team"),
        ("Team", "end", "our dreamTeam", "our dreamTeam Team"),
        ("", "start", "Nothing", "Nothing"),
        ("Ad:", "start", "a pump. Ad: no", "Ad: a pump. Ad: no"),
    ],
)
def test_label_is_added_unless_it_stands_there_as_words(label, place, text, full):
    assert Label(label, place, 1).apply(text) == full


def test_what_advertises_does_not_leave_without_a_rule(db, somebody, about):
    suggestion, variant = about("job_ad", "de")
    with pytest.raises(ShareRefused) as refused:
        shares.hand_over(by=somebody(""), suggestion=suggestion, words=Words(TEXT, variant, uuid.uuid4()), network="x", how="copied", now=timezone.now())  # fmt: skip
    assert refused.value.sentence == (
        "The label that the law asks for is missing. Please tell the newsroom."
    )
    assert (Post.objects.count(), Evidence.objects.count()) == (0, 0)


def test_seed_is_a_whole_table_with_labels_at_the_start_for_what_advertises():
    rules = disclosure.seed("Nordwind Energie")
    assert disclosure.check_table(rules) == {}
    assert {(r.content_class, r.language, r.label) for r in rules if r.place == "start"} == {
        ("product", "de", "Werbung:"), ("product", "en", "Ad:"),
        ("job_ad", "de", "Werbung:"), ("job_ad", "en", "Ad:"),
    }  # fmt: skip
    assert disclosure.check_table(disclosure.seed("N" * 100)) == {}


def test_proposal_changes_nothing_until_somebody_else_puts_it_in_force(in_force, person):
    first = in_force(table())
    mirja = person("Mirja", "curator")
    changed = [replace(r, label="Anzeige") if r.label == "Werbung:" else r for r in table()]
    waiting = disclosure.propose(rules=changed, note="New ruling.", by=mirja, now=timezone.now())
    assert disclosure.labels("product", "de").on("x") == Label("Werbung:", "start", first.version)
    with pytest.raises(disclosure.NotYours, match="You proposed it"):
        disclosure.put_in_force(table=waiting, by=mirja, now=timezone.now())
    disclosure.put_in_force(table=waiting, by=person("Elif", "legal"), now=timezone.now())
    assert disclosure.labels("product", "de").on("x") == Label("Anzeige", "start", waiting.version)
    with pytest.raises(disclosure.NotYours, match="decided"):
        disclosure.drop(table=waiting, by=mirja, now=timezone.now())
    acts = AuditEntry.objects.filter(act__startswith="disclosure", facts__version=2)
    assert list(acts.order_by("pk").values_list("act", "facts__version")) == [
        ("disclosure.proposed", 2),
        ("disclosure.in_force", 2),
    ]


def test_a_second_proposal_takes_the_place_of_the_first(in_force, person):
    in_force(table())
    mirja, now = person("Mirja", "curator"), timezone.now()
    first = disclosure.propose(rules=table(), note="", by=mirja, now=now)
    second = disclosure.propose(rules=table(), note="", by=mirja, now=now)
    first.refresh_from_db()
    assert (first.dropped_at, disclosure.proposal()) == (now, second)
    with pytest.raises(disclosure.NotYours):
        disclosure.put_in_force(table=first, by=person("Piet"), now=now)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE campaigns_disclosurerule SET label = ''",
        "DELETE FROM campaigns_disclosurerule",
        "UPDATE campaigns_disclosuretable SET version = 7",
        "UPDATE campaigns_disclosuretable SET in_force_at = NULL",
        "DELETE FROM campaigns_disclosuretable",
        "INSERT INTO campaigns_disclosurerule (table_id, content_class, network, language, country, label, place)"
        " SELECT id, 'product', 'wall', 'de', 'CH', '', 'end' FROM campaigns_disclosuretable",
    ],
)
def test_decided_table_stays_as_it_was(in_force, sql):
    in_force(table())
    before = list(DisclosureRule.objects.values_list())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(DisclosureRule.objects.values_list()) == before


@pytest.mark.django_db(transaction=True)
def test_of_two_who_put_it_in_force_the_second_is_told(person):
    made = disclosure.propose(rules=table(), note="", by=person("Mirja"), now=timezone.now())
    start, results = threading.Barrier(2), []

    def press(who):
        start.wait()
        try:
            with translation.override("en"):
                disclosure.put_in_force(table=made, by=who, now=timezone.now())
            results.append("done")
        except disclosure.NotYours as error:
            results.append(str(error))
        connection.close()

    threads = [threading.Thread(target=press, args=(person(n),)) for n in ("Piet", "Elif")]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(results) == ["Somebody has decided about it already.", "done"]


# The page -------------------------------------------------------------------------------------


def fields(rules, **more):
    names = ("content_class", "language", "label", "place", "network", "country")
    return {**{name: [getattr(r, name) for r in rules] for name in names}, "act": "propose", **more}


def test_first_table_begins_with_the_seed(person, topic):
    page = browser(person("Piet", "administrator")).get("/desk/disclosure/propose/")
    assert page.content.decode().count('value="Werbung:"') == 2


def test_table_is_proposed_and_put_in_force_on_the_page(person, topic):
    mirja, elif_ = browser(person("Mirja", "curator")), browser(person("Elif", "legal"))
    mirja.post("/desk/disclosure/propose/", fields(table(), note="Begin."))
    made = DisclosureTable.objects.get()
    own = mirja.post(f"/desk/disclosure/{made.pk}/", {"act": "in_force"})
    assert (own.status_code, disclosure.in_force()) == (409, None)
    elif_.post(f"/desk/disclosure/{made.pk}/", {"act": "in_force"})
    assert disclosure.in_force() == made
    page = elif_.get("/desk/disclosure/").content.decode()
    assert ("Version 1, in force" in page, "Begin." in page, "Anzeige:" in page) == (
        True,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("index", "change", "sentence"),
    [
        (0, {"label": "x" * 61}, "A label is one line of at most 60 characters."),
        (0, {"label": "a\nb"}, "A label is one line of at most 60 characters."),
        (0, {"country": "A1"}, "A country has two letters, like AT or CH."),
        (0, {"country": "ÄÖ"}, "A country has two letters, like AT or CH."),
        (0, {"network": "myspace"}, "Choose a network of the list."),
        (0, {"content_class": "\x00"}, "Choose what it is, and a language."),
        (1, {"network": ""}, "This line stands there twice."),
    ],
)
def test_bad_line_is_told_beside_it_and_nothing_typed_is_lost(
    person, topic, index, change, sentence
):
    rules = table()
    rules[index] = replace(rules[index], **change)
    answer = browser(person("Mirja", "curator")).post(
        "/desk/disclosure/propose/", fields(rules, note="My <reason>")
    )
    page = answer.content.decode()
    assert (answer.status_code, sentence in page, "My &lt;reason&gt;" in page) == (422, True, True)
    assert (page.count("Anzeige:"), DisclosureTable.objects.count()) == (2, 0)


def test_advertising_without_a_label_and_missing_lines_are_refused():
    rules = table()
    at = next(i for i, r in enumerate(rules) if r.content_class == "product")
    rules[at] = replace(rules[at], label="")
    assert disclosure.check_table(rules) == {at: "What advertises is never without a label."}
    del rules[at]
    assert disclosure.check_table(rules)[-1] == "A general line is missing: Product or offer, de."


def test_lines_are_added_and_removed_without_saving(person, topic):
    mirja = browser(person("Mirja", "curator"))
    added = mirja.post("/desk/disclosure/propose/", fields(table(), act="add"))
    gone = mirja.post("/desk/disclosure/propose/", {**fields(table()), "act": "", "remove": "0"})
    lines = len(table())
    assert [page.content.decode().count('class="ruleline"') for page in (added, gone)] == [
        lines + 1,
        lines - 1,
    ]
    assert DisclosureTable.objects.count() == 0


def test_older_version_is_shown_with_its_own_lines(in_force, person):
    in_force(table())
    in_force([replace(r, label="Reklame:") if r.label == "Anzeige:" else r for r in table()])
    heike = browser(person("Heike", "auditor"))
    shown = [
        heike.get(f"/desk/disclosure/?version={v}").content.decode() for v in ("1", "2", "x", "9")
    ]
    assert ["Anzeige:" in page for page in shown] == [True, False, False, False]


@pytest.mark.parametrize(
    "role", ["curator", "legal", "administrator", "auditor", "hr", "ambassador"]
)
def test_who_may_see_propose_and_decide(person, in_force, role):
    in_force(table())
    waiting = disclosure.propose(rules=table(), note="", by=person("M"), now=timezone.now())
    visitor = browser(person("Someone", role))
    codes = [
        visitor.get("/desk/disclosure/").status_code,
        visitor.get("/desk/disclosure/propose/").status_code,
        visitor.post(f"/desk/disclosure/{waiting.pk}/", {"act": "drop"}).status_code,
    ]
    assert codes == {
        "curator": [200, 200, 302], "legal": [200, 403, 302], "administrator": [200, 200, 302],
        "auditor": [200, 403, 403],
    }.get(role, [403, 403, 403])  # fmt: skip


@pytest.mark.parametrize("count", [1, 3])
def test_page_has_constant_queries(in_force, person, django_assert_num_queries, count):
    for _ in range(count):
        in_force(table())
    visitor = browser(person("Mirja", "curator"))
    visitor.get("/desk/disclosure/")
    with django_assert_num_queries(7):
        visitor.get("/desk/disclosure/")
