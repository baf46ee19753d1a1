"""The record: only added to, whole, and true although names can be struck (G30)."""

import datetime as dt
import io
import threading
import uuid
from importlib import import_module

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from ambassadors import audit, chain, retention, rights, roles
from ambassadors.models import AuditEntry, AuditSeal, AuditUnsealed, Erasure, Person
from campaigns import erasures, holds, restores
from integrations import heads

from .conftest import browser

pytestmark = pytest.mark.django_db
ROLE = "somebody_who_only_works_here"


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def refused(statement, *values):
    """What PostgreSQL says to a statement, and nothing of it has happened."""
    with pytest.raises(DatabaseError) as said, transaction.atomic():
        sql(statement, *values)
    return str(said.value).splitlines()[0]


def beyond_the_law(statement, *values):
    """As the administrator of the database, with every trigger at rest."""
    sql("SET session_replication_role = replica")
    sql(statement, *values)
    sql("SET session_replication_role = origin")


def written(by, count=3, **more):
    now = timezone.now()
    for number in range(count):
        audit.record("x", by, by=by, now=now, reason=f"because {number}", number=number, **more)


@pytest.fixture
def record(jona):
    """A seal of something else, then two of three entries each."""
    audit.record("before", jona, by=jona, now=timezone.now())
    assert chain.seal() == 1
    for _one in range(2):
        written(jona)
        assert chain.seal() == 3
    return list(AuditEntry.objects.filter(act="x").order_by("pk"))


@pytest.fixture
def as_the_application():
    """The application's own login: what it may not do, PostgreSQL refuses."""
    sql(f"CREATE ROLE {ROLE}")
    rights.grant(ROLE)
    sql(f"SET SESSION AUTHORIZATION {ROLE}")
    yield
    sql("RESET SESSION AUTHORIZATION")


# Only added to ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ambassadors_auditentry SET act = 'y'",
        "UPDATE ambassadors_auditentry SET reason = '…'",
        "DELETE FROM ambassadors_auditentry",
        "TRUNCATE ambassadors_auditentry",
        "UPDATE ambassadors_auditseal SET head = 'x'",
        "DELETE FROM ambassadors_auditseal",
        "TRUNCATE ambassadors_auditseal",
        "INSERT INTO ambassadors_auditseal SELECT 99, now(), now(), '{1}', 'x'",
        "DELETE FROM ambassadors_auditunsealed",
        "ALTER TABLE ambassadors_auditentry DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP FUNCTION audit_is_append_only CASCADE",
        "SELECT audit_names(1)",
    ],
)
def test_the_applications_login_can_only_add_to_the_record(record, as_the_application, statement):
    said = refused(statement)
    assert "permission denied" in said or "must be owner" in said
    audit.record("y", record[0], by=None, now=timezone.now())
    assert (AuditEntry.objects.filter(act="y").count(), chain.verify().broken) == (1, [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ambassadors_auditentry SET act = 'y'",
        "UPDATE ambassadors_auditentry SET reason = ''",
        "DELETE FROM ambassadors_auditentry",
        "TRUNCATE ambassadors_auditentry",
        "UPDATE ambassadors_auditseal SET head = 'x'",
        "TRUNCATE ambassadors_auditseal",
    ],
)
def test_the_owner_too_is_refused_by_triggers(record, statement):
    assert "never changed" in refused(statement)


def test_the_application_works_under_its_own_login(
    jona, mirja, topic, suggestion, account_on, mastodon, queue, as_the_application, person,
    django_capture_on_commit_callbacks,
):  # fmt: skip
    """Pages, a post, a hold, an erasure and the night, without a right too few."""
    queue(jona, account_on(jona, mastodon))
    pages = [browser(jona).get(path).status_code for path in ("/", "/me/data/", "/suggestions/")]
    assert pages == [200, 200, 200]
    assert browser(mirja).get("/desk/").status_code == 200
    held = browser(mirja).post(f"/desk/topics/{topic.pk}/hold/", {"reason": "Jona Harms said so"})
    assert (held.status_code, topic.__class__.objects.get().held_at is not None) == (302, True)
    erasure = erasures.ask(person=jona, typed=jona.email, at_once=True, by=jona, now=timezone.now())
    sql("DELETE FROM integrations_revocation")
    with django_capture_on_commit_callbacks(execute=True):
        assert erasures.carry_out_due(now=erasure.due_at + dt.timedelta(minutes=20)) == 1
    assert AuditEntry.objects.filter(act="hold").get().reason == "… said so"
    retention.run(now=timezone.now(), on=timezone.localdate())
    assert restores.may_publish(now=timezone.now())
    assert (chain.seal() > 3, chain.verify().broken) == (True, [])


@pytest.mark.django_db
def test_grant_makes_the_login_and_changes_its_password(tmp_path):
    role, path = f"app_{uuid.uuid4().hex[:12]}", tmp_path / "password"
    for password in ("first'; DROP", "second"):
        path.write_text(f"{password}\n")
        call_command("grant_app", role=role, password_file=path, stdout=io.StringIO())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole,"
            " has_table_privilege(rolname, 'ambassadors_auditentry', 'DELETE')"
            " FROM pg_roles WHERE rolname = %s",
            [role],
        )
        assert cursor.fetchone() == (True, False, False, False, False)


@pytest.mark.django_db(transaction=True)
def test_a_connection_of_the_applications_own_adds_and_changes_nothing(person):
    who, role = person(), f"app_{uuid.uuid4().hex[:12]}"
    here = connection.get_connection_params()
    sql(f"CREATE ROLE {role} LOGIN PASSWORD 'moin'")
    call_command("grant_app", role=role, stdout=io.StringIO())
    theirs = connections.create_connection("default")
    theirs.settings_dict = {**connection.settings_dict, "USER": role, "PASSWORD": "moin"}
    ours, connections["default"] = connections["default"], theirs
    try:
        assert sql("SELECT session_user") == [(role,)] != [(here["user"],)]
        audit.record("x", who, by=who, now=timezone.now())
        for change in ("UPDATE {} SET act = 'y'", "DELETE FROM {}", "TRUNCATE {}"):
            assert "permission denied" in refused(change.format("ambassadors_auditentry"))
        assert (chain.seal() > 0, chain.verify().broken) == (True, [])
    finally:
        theirs.close()
        connections["default"] = ours
        sql(f"DROP OWNED BY {role}")
        sql(f"DROP ROLE {role}")


# Struck, and still true -------------------------------------------------------------------------


def begun(who):
    now = timezone.now()
    return Erasure.objects.create(person=who, asked_by=who, asked_at=now, due_at=now)


def test_a_legitimate_erasure_leaves_the_chain_whole(
    jona, mirja, django_capture_on_commit_callbacks
):
    written(mirja, who=jona.name, mail=jona.email)
    audit.record("x", mirja, by=mirja, now=timezone.now(), reason=f"{jona.name} “asked”\n\\d+ [a]")
    chain.seal()
    kept = chain.head()
    erasure = erasures.ask(person=jona, typed=jona.email, at_once=True, by=jona, now=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        erasures.carry_out_due(now=erasure.due_at + dt.timedelta(minutes=20))
    before_it_is_sealed = chain.verify([kept])
    chain.seal()
    looked = chain.verify([kept, chain.head()])
    assert (before_it_is_sealed.broken, looked.broken, looked.struck) == ([], [], 4)
    assert AuditEntry.objects.filter(act="x").first().reason == "… “asked”\n\\d+ [a]"
    assert not AuditEntry.objects.filter(facts__who=jona.name).exists()


def test_what_was_struck_cannot_be_guessed_from_its_digest(jona, mirja):
    """The salt of the old words is gone, so that no list of names finds the digest."""
    written(mirja, 1, who=jona.name)
    entry = AuditEntry.objects.get(act="x")
    sql(
        "SELECT audit_strike(%s, %s, %s, %s)",
        begun(jona).pk, entry.pk, entry.reason, '{"number": 0, "who": "…"}',
    )  # fmt: skip
    after = AuditEntry.objects.get(pk=entry.pk)
    assert (after.salt != entry.salt, after.words == entry.words) == (True, True)


@pytest.mark.parametrize(
    "change",
    [
        {"new_reason": "because of nothing"},
        {"new_reason": "… 0"},  # a word, but no name
        {"new_reason": ""},
        {"new_reason": "because 0 …"},  # more than there was
        {"new_facts": '{"who": "…", "number": 1}'},
        {"new_facts": '{"who": "…"}'},
        {"new_facts": '{"who": "Mirja Thomsen", "number": 0}'},
        {"new_facts": '{"who": "…", "number": "…"}'},
        {"new_facts": '{"who": "Jona …", "number": 0}'},  # half a name
    ],
    ids=str,
)
@pytest.mark.parametrize("by", ["function", "session"])
def test_only_names_of_who_is_erased_are_struck(jona, mirja, change, by):
    written(mirja, 1, who=jona.name)
    entry, erasure = AuditEntry.objects.get(act="x"), begun(jona)
    change = {"new_reason": entry.reason, "new_facts": '{"number": 0, "who": "…"}'} | change
    if by == "function":
        values = (erasure.pk, entry.pk, change["new_reason"], change["new_facts"])
        said = refused("SELECT audit_strike(%s, %s, %s, %s)", *values)
    else:  # whoever sets what the function sets gets no further than the function
        sql("SELECT set_config('botschaft.erasure', %s, true)", str(erasure.pk))
        values = (change["new_reason"], change["new_facts"], entry.pk)
        said = refused(
            "UPDATE ambassadors_auditentry SET reason = %s, facts = %s WHERE id = %s", *values
        )
    assert "never changed" in said


@pytest.mark.parametrize("state", ["none", "done", "taken_back", "somebody_elses"])
def test_nothing_is_struck_without_a_running_erasure_of_that_person(jona, mirja, state):
    written(mirja, 1, who=jona.name)
    entry = AuditEntry.objects.get(act="x")
    erasure = begun(mirja if state == "somebody_elses" else jona)
    if state in {"done", "taken_back"}:
        Erasure.objects.update(**{f"{state}_at": timezone.now()})
    number = 0 if state == "none" else erasure.pk
    facts = '{"number": 0, "who": "…"}'
    values = (number, entry.pk, entry.reason, facts)
    assert "never changed" in refused("SELECT audit_strike(%s, %s, %s, %s)", *values)


def test_the_database_knows_the_names_that_the_rooms_declare():
    """A new column of names in a takeout.py wants its line in audit_names, by a migration."""
    from ambassadors.takeout import tables

    declared = {
        (table.model._meta.db_table, column) for table in tables() for column in table.names
    }
    [[source]] = sql("SELECT prosrc FROM pg_proc WHERE proname = 'audit_names'")
    missing = {(t, c) for t, c in declared if t not in source or c not in source}
    assert (missing, len(declared)) == (set(), 8)


# Looked at --------------------------------------------------------------------------------------


def test_a_whole_record_has_nothing_amiss(record):
    written(Person.objects.first(), 1)
    looked = chain.verify([chain.head()])
    assert (looked.broken, looked.waiting, looked.seals) == ([], 1, 3)
    told = io.StringIO()
    call_command("verify_audit", head=[chain.head()], stdout=told)
    assert f"{looked.entries} entries, 3 seals, 1 not sealed yet, 0 struck" in told.getvalue()


COLUMNS = {
    "reason": "'becausE 0'", "facts": """'{"number": 7}'""", "act": "'X'", "actor_id": "1",
    "actor_id ": "NULL", "subject": "'y'", "subject_id": "'1'", "at": "at + interval '1 microsecond'",
    "words": "repeat('a', 64)", "salt": "gen_random_uuid()",
}  # fmt: skip


@pytest.mark.parametrize(("column", "value"), COLUMNS.items())
def test_one_flipped_byte_is_found(record, column, value):
    beyond_the_law(
        f"UPDATE ambassadors_auditentry SET {column} = {value} WHERE id = %s", record[1].pk
    )
    assert len(chain.verify().broken) == 1 + (column == "words")
    with pytest.raises(CommandError, match="not as it was written"):
        call_command("verify_audit", stdout=io.StringIO(), stderr=io.StringIO())


def test_words_with_a_fitting_new_digest_are_found(record):
    beyond_the_law(
        "UPDATE ambassadors_auditentry SET reason = 'y', words = audit_words(salt, 'y', facts)"
        " WHERE id = %s",
        record[1].pk,
    )
    assert chain.verify().broken == ["something in seal 2 was changed"]


def test_a_removed_entry_is_found(record):
    beyond_the_law("DELETE FROM ambassadors_auditentry WHERE id = %s", record[4].pk)
    assert chain.verify().broken == [
        f"entry {record[4].pk} is missing",
        "something in seal 3 was changed",
    ]


def test_two_that_changed_places_are_found(record):
    one, other = record[0].pk, record[1].pk
    for old, new in ((one, -1), (other, one), (-1, other)):
        beyond_the_law("UPDATE ambassadors_auditentry SET id = %s WHERE id = %s", new, old)
    assert chain.verify().broken == ["something in seal 2 was changed"]


def test_another_order_in_a_seal_is_found(record):
    beyond_the_law(
        "UPDATE ambassadors_auditseal SET entries = array_reverse(entries) WHERE number = 2"
    )
    assert "something in seal 2 was changed" in chain.verify().broken


def test_an_entry_that_was_slipped_in_is_found(record):
    beyond_the_law(
        "INSERT INTO ambassadors_auditentry (at, act, subject, subject_id, reason, facts, words)"
        " VALUES (now(), 'x', 'y', '1', '', '{}', '')"
    )
    assert [one.partition(" was ")[2] for one in chain.verify().broken] == ["slipped in"]


def test_a_missing_end_is_found_by_the_head_that_was_kept(record):
    kept = chain.head()
    beyond_the_law(
        "DELETE FROM ambassadors_auditentry WHERE id = ANY (%s)", [r.pk for r in record[3:]]
    )
    beyond_the_law("DELETE FROM ambassadors_auditseal WHERE number = 3")
    assert chain.verify().broken == []  # the database alone cannot know
    assert chain.verify([kept]).broken == ["seal 3, which was kept, is missing"]


def test_an_end_that_was_written_anew_is_found_by_the_head_that_was_kept(record, jona):
    kept = chain.head()
    beyond_the_law(
        "DELETE FROM ambassadors_auditentry WHERE id = ANY (%s)", [r.pk for r in record[3:]]
    )
    beyond_the_law("DELETE FROM ambassadors_auditseal WHERE number = 3")
    written(jona)
    chain.seal()
    assert chain.verify([kept]).broken == ["seal 3 is another one than the one that was kept"]


def test_a_seal_in_the_middle_or_at_the_beginning_that_is_missing_is_found(record):
    beyond_the_law("DELETE FROM ambassadors_auditseal WHERE number = 2")
    assert "seals 2 to 2 are missing" in chain.verify().broken
    beyond_the_law("DELETE FROM ambassadors_auditseal WHERE number = 1")
    assert "seals 1 to 2 are missing" in chain.verify().broken


@pytest.mark.parametrize("head", ["", "x", "1:abc", "-1:" + "a" * 64, "1:" + "g" * 64])
def test_a_head_that_is_none_gets_a_sentence(record, head):
    with pytest.raises(CommandError, match="is no head"):
        call_command("verify_audit", head=[head], stdout=io.StringIO())


def test_what_stood_before_the_chain_is_taken_as_it_is(jona):
    """The migration seals what it finds; nothing of it can be changed from there on."""
    for table in ("auditunsealed", "auditseal", "auditentry"):
        beyond_the_law(f"DELETE FROM ambassadors_{table}")
    beyond_the_law(
        "INSERT INTO ambassadors_auditentry (at, act, subject, subject_id, reason, facts, words)"
        " SELECT now(), 'x', 'y', n, 'Anne’s “yes”', '{\"a\": [1.50, null]}', ''"
        " FROM generate_series(1, 3) n"
    )
    sql(import_module("ambassadors.migrations.0018_record_chain").BEGIN)
    looked = chain.verify()
    assert (looked.broken, looked.waiting) == ([], 3)
    assert (chain.seal(), chain.verify().broken) == (3, [])
    assert "never changed" in refused("UPDATE ambassadors_auditentry SET reason = ''")


# Let go -----------------------------------------------------------------------------------------


def aged(jona, days):
    audit.record("x", jona, by=jona, now=timezone.now() - dt.timedelta(days=days))
    chain.seal()


def test_what_is_over_goes_seal_by_seal_and_the_chain_begins_there(jona):
    beyond_the_law("DELETE FROM ambassadors_auditunsealed")
    beyond_the_law("DELETE FROM ambassadors_auditentry")
    for days in (900, 800, 400, 1):
        aged(jona, days)
    kept = chain.head()
    now = timezone.now()
    assert retention.would_go(now=now)["record"]
    assert [retention.run(now=now, on=now.date()) for _night in range(2)] == [2, 0]
    chain.seal()
    assert (AuditEntry.objects.filter(act="x").count(), chain.verify([kept]).broken) == (2, [])
    assert AuditSeal.objects.order_by("number").first().number == 2
    later = now + dt.timedelta(days=365)
    assert retention.run(now=later, on=later.date()) == 1
    chain.seal()
    assert chain.verify([kept]).broken == []


def test_a_beginning_that_was_cut_off_too_early_is_found(record):
    beyond_the_law("DELETE FROM ambassadors_auditentry WHERE id = %s", record[0].pk)
    with transaction.atomic():
        assert "never changed" in refused("SELECT audit_let_go(2)")
    beyond_the_law("SELECT audit_let_go(2)")
    assert "went before their year was over" in " ".join(chain.verify().broken)


# The day's head ---------------------------------------------------------------------------------


def test_the_days_head_is_logged_and_mailed(record, settings, mailoutbox, caplog):
    settings.AUDIT_HEADS_TO = ["council@example.org"]
    caplog.set_level("INFO")
    assert heads.tell() == 1
    assert (chain.head() in caplog.text, chain.head() in mailoutbox[0].body) == (True, True)
    settings.AUDIT_HEADS_TO = []
    assert heads.tell() == 0


def test_the_council_reads_words_and_reaches_the_oldest(record, person, topic):
    by = person("Ada Admin", "administrator")
    roles.give(person=person("Jona"), name="curator", by=by, now=timezone.now())
    holds.hold(scope=topic, by=by, reason="A fire.", now=timezone.now())
    for number in range(60):
        audit.record("switch.turned", by, by=by, now=timezone.now(), number=number)
    heike = browser(person("Heike", "auditor"))
    page = heike.get("/record/?page=2").content.decode()
    told = [
        f"put a hold on it <small>{topic.title}",
        "A fire.",
        "gave somebody the role “Curator”",
        "by hand",
    ]
    assert [words for words in told if words not in page] == []
    assert "role.granted" not in page
    page = heike.get("/record/", headers={"accept-language": "de"}).content.decode()
    assert "switch.turned" not in page


def test_the_council_reads_the_head_and_can_keep_it(record, person):
    page = browser(person("Heike", "auditor")).get("/record/").content.decode()
    assert chain.head() in page


# At once ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_who_writes_waits_for_nobody_and_nothing_stays_unsealed(person):
    """One transaction stays open over two seals; another one writes, and both seals are made."""
    who = person()
    chain.seal()
    wrote, may_end = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            audit.record("slow", who, by=who, now=timezone.now())
            wrote.set()
            assert may_end.wait(20)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert wrote.wait(20)
    sql("SET statement_timeout = '2s'")  # whoever waited would be refused
    for _one in range(2):
        audit.record("quick", who, by=who, now=timezone.now())
        assert chain.seal() == 1
    assert chain.verify().broken == []
    may_end.set()
    thread.join()
    assert (chain.seal(), chain.verify().broken) == (1, [])
    order = [pk for seal in AuditSeal.objects.order_by("number") for pk in seal.entries][-3:]
    acts = [AuditEntry.objects.get(pk=pk).act for pk in order]
    assert (acts, order[2] < order[0]) == (["quick", "quick", "slow"], True)
    sql("SET statement_timeout = 0")


@pytest.mark.django_db(transaction=True)
def test_two_who_seal_at_once_make_one_chain(person):
    who = person()
    written(who, 400)

    def work():
        for _one in range(5):
            written(who, 10)
            chain.seal()
        connection.close()

    threads = [threading.Thread(target=work) for _one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    chain.seal()
    looked = chain.verify()
    assert (looked.broken, looked.waiting, AuditUnsealed.objects.count()) == ([], 0, 0)
    assert AuditEntry.objects.filter(act="x").count() == 600
