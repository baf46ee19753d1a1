"""A file with people, from its bytes to the rows: every encoding, every line, the brake."""

import datetime as dt

import pytest
from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from ambassadors import directory
from ambassadors.models import AuditEntry, DirectoryRow, Person, Role, Site
from people import columns, csvfiles, imports, welcomes
from people.csvfiles import FileRefused
from people.models import ImportPiece, PeopleImport
from people.tasks import import_people

from .conftest import browser, night
from .corpus import cases, value

HEADER = "E-Mail;Name;Personalnummer;Position;Standort;Sprache"
NOW = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch):
    monkeypatch.setattr("people.tasks.close_old_connections", lambda: None)


@pytest.fixture
def frauke(person):
    return person("Frauke Petersen", "hr")


@pytest.fixture
def boss(person):
    return person("Ada Brandt", "administrator")


def sent(text, name="people.csv"):
    content = text if isinstance(text, bytes) else text.encode()
    return SimpleUploadedFile(name, content, "text/csv")


def read(text, by, *, mode="add", makes_sites=True, mapping=None):
    """Upload, take the columns as guessed, let a worker read."""
    row = imports.upload(upload=sent(text), by=by, now=NOW)
    chosen = columns.checked(mapping or columns.guess(row.header, {}), row.header)
    imports.choose(row=row, mapping=chosen, mode=mode, makes_sites=makes_sites)
    import_people()
    row.refresh_from_db()
    return row


def run(row, by):
    imports.agree(row=row, typed=str(row.counts.get("leaves", 0)), by=by, now=NOW)
    import_people()
    row.refresh_from_db()
    return row


def lines(*rows):
    return "\r\n".join((HEADER, *rows)) + "\r\n"


ANNE = "anne@nordwind.example;Änne Müßig;100;Monteurin;Lohe;de"


def test_a_new_person_is_made_and_can_log_in_by_mail_alone(frauke):
    row = read(lines(ANNE), frauke)
    assert (row.state, row.counts["new"], row.new_sites) == ("read", 1, ["Lohe"])
    assert not Person.objects.filter(external_id="100").exists()
    run(row, frauke)
    anne = Person.objects.get(email_normalised="anne@nordwind.example")
    assert (anne.name, anne.external_id, anne.job_title) == ("Änne Müßig", "100", "Monteurin")
    assert (anne.site.name, anne.language, anne.timezone) == ("Lohe", "de", "Europe/Berlin")
    assert not anne.has_usable_password()
    assert not anne.is_staff
    assert not anne.is_superuser
    address = EmailAddress.objects.get(user=anne)
    assert (address.email, address.verified, address.primary) == (anne.email, True, True)


def written(external_id):
    """The transaction that wrote the row last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xmin::text FROM ambassadors_person WHERE external_id = %s", [external_id]
        )
        return cursor.fetchone()[0]


def test_the_same_file_again_writes_nobody(frauke):
    run(read(lines(ANNE), frauke), frauke)
    before = written("100")
    row = run(read(lines(ANNE), frauke), frauke)
    after = written("100")
    assert (row.state, row.counts["same"], row.counts.get("new", 0)) == ("done", 1, 0)
    assert before == after


def test_a_changed_address_moves_the_login_and_is_in_the_record(frauke):
    run(read(lines(ANNE), frauke), frauke)
    run(read(lines(ANNE.replace("anne@", "a.muessig@")), frauke), frauke)
    anne = Person.objects.get(external_id="100")
    assert anne.email_normalised == "a.muessig@nordwind.example"
    assert [row.email for row in EmailAddress.objects.filter(user=anne)] == [anne.email]
    acts = AuditEntry.objects.filter(subject_id=str(anne.pk)).values_list("act", flat=True)
    assert list(acts) == ["directory.mail_changed"]


def test_what_a_file_does_not_say_stays(frauke):
    run(read(lines(ANNE), frauke), frauke)
    row = run(read("E-Mail;Name\nanne@nordwind.example;Anne Neu\n", frauke), frauke)
    anne = Person.objects.get(external_id="100")
    assert row.counts["changed"] == 1
    assert (anne.name, anne.job_title, anne.site.name) == ("Anne Neu", "Monteurin", "Lohe")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be",
                                      "cp1252"])  # fmt: skip
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_every_encoding_and_separator_reads_the_same(encoding, separator):
    text = lines(ANNE).replace(";", separator).encode(encoding)
    kind = csvfiles.kind_of(sent(text), len(text))
    assert kind.separator == separator
    assert list(csvfiles.rows([text], kind)) == [
        (1, HEADER.split(";")),
        (2, ANNE.split(";")),
    ]


def test_formulas_are_text(frauke):
    run(read(lines('x@nordwind.example;"=HYPERLINK(""http://evil.example"")";1;@SUM(1);;'),
             frauke), frauke)  # fmt: skip
    found = Person.objects.get(external_id="1")
    assert (found.name, found.job_title) == ('=HYPERLINK("http://evil.example")', "@SUM(1)")


def test_twins_are_refused_with_both_lines(frauke):
    row = read(
        lines(ANNE, "ANNE@nordwind.example;Anne;101;;;", "b@x.de;B;7;;;", "c@x.de;C;7;;;"), frauke
    )
    assert row.refused == [
        [2, "twice_mail", "3"], [3, "twice_mail", "2"],
        [4, "twice_id", "5"], [5, "twice_id", "4"],
    ]  # fmt: skip


def test_a_line_that_would_make_an_administrator_is_refused(frauke):
    row = read("E-Mail;Name;Rolle;is_admin\na@x.de;A;Administratorin;\nb@x.de;B;;ja\n"
               "c@x.de;C;Monteur;nein\n", frauke)  # fmt: skip
    assert row.refused == [[2, "rights", ""], [3, "rights", ""]]
    run(row, frauke)
    assert not Role.objects.filter(person__email__in=["a@x.de", "b@x.de", "c@x.de"]).exists()


def test_hr_cannot_take_over_a_login_by_its_address(frauke, boss, person):
    curator = person("Mirja Thomsen", "curator")
    plain = person("Jona Harms", "ambassador")
    Person.objects.filter(pk=boss.pk).update(external_id="1")
    Person.objects.filter(pk=curator.pk).update(external_id="2")
    Person.objects.filter(pk=plain.pk).update(external_id="3")
    text = lines("me1@x.de;Ada;1;;;", "me2@x.de;Mirja;2;;;", "me3@x.de;Jona;3;;;")
    row = read(text, frauke)
    assert row.refused == [[2, "guarded", ""], [3, "guarded", ""]]
    assert read(text, boss).refused == [[2, "guarded", ""]]
    run(row, frauke)
    boss.refresh_from_db()
    plain.refresh_from_db()
    assert boss.email != "me1@x.de"
    assert plain.email == "me3@x.de"


def test_who_returns_begins_without_roles(frauke, person):
    gone = person("Tarek Yilmaz", "administrator", "curator")
    Person.objects.filter(pk=gone.pk).update(left_at=NOW, is_active=False, external_id="9")
    row = read(lines(f"{gone.email};Tarek;9;;;"), frauke)
    assert row.counts == {"returns": 1, "limit": 5}
    run(row, frauke)
    gone.refresh_from_db()
    assert (gone.left_at, gone.is_active, gone.role_set.count()) == (None, True, 0)


def test_an_address_of_somebody_else_is_refused(frauke, person):
    held = person("Jona Harms")
    Person.objects.filter(pk=held.pk).update(external_id="50")
    row = read(lines(f"{held.email};Other;51;;;"), frauke)
    assert row.refused == [[2, "taken", ""]]


def test_bad_cells_are_refused_with_their_line(frauke):
    row = read(
        lines(";Nobody;1;;;", "x;X;2;;;", "y@x.de; ;3;;;", "z@x.de;Z", "",
              "w@x.de;" + "w" * 151 + ";4;;;"), frauke, makes_sites=False,
    )  # fmt: skip
    assert row.refused == [
        [2, "no_mail", ""], [3, "mail", ""], [4, "no_name", ""], [5, "cells", "2"],
        [7, "long", "name"],
    ]  # fmt: skip


def test_an_unknown_site_is_refused_unless_it_may_be_made(frauke):
    Site.objects.create(slug="hh", name="Hamburg")
    row = read(lines(ANNE, "b@x.de;B;2;;HAMBURG;"), frauke, makes_sites=False)
    assert row.refused == [[2, "site", "Lohe"]]
    assert row.counts["new"] == 1


def crowd(person, count):
    made = [person(f"Person {n}") for n in range(count)]
    for n, who in enumerate(made):
        Person.objects.filter(pk=who.pk).update(external_id=f"c{n}")
    return made


def test_who_is_missing_from_a_file_of_everybody_leaves(frauke, boss, person):
    gone = person("Jona Harms")
    text = "E-Mail;Name\n" + "".join(f"{p.email};{p.name}\n" for p in (frauke, boss))
    row = run(read(text, frauke, mode="everybody"), frauke)
    gone.refresh_from_db()
    assert gone.left_at is not None
    assert (row.state, row.counts["leaves"]) == ("done", 1)


def test_a_refused_line_lets_nobody_leave(frauke, boss, person):
    person("Jona Harms")
    text = f"E-Mail;Name\n{frauke.email};F\n{boss.email};A\njona-at-x;Jona\n"
    assert "leaves" not in read(text, frauke, mode="everybody").counts


def test_many_leavers_need_a_second_person_who_types_the_number(frauke, boss, person):
    crowd(person, 6)
    other = person("Second", "administrator")
    text = f"E-Mail;Name\n{frauke.email};{frauke.name}\n{boss.email};{boss.name}\n{other.email};S\n"
    row = read(text, boss, mode="everybody")
    assert (row.counts["leaves"], row.counts["limit"]) == (6, 5)
    with pytest.raises(imports.NotAgreed):
        imports.agree(row=row, typed="5", by=boss, now=NOW)
    assert imports.agree(row=row, typed="6", by=boss, now=NOW) is False
    row.refresh_from_db()
    assert row.state == "waiting"
    with pytest.raises(imports.NotAgreed):
        imports.agree_second(row=row, typed="6", by=boss, now=NOW)
    import_people()
    assert Person.objects.filter(left_at__isnull=False).count() == 0
    assert imports.agree_second(row=row, typed="6", by=other, now=NOW) is True
    import_people()
    assert Person.objects.filter(left_at__isnull=False).count() == 6


def test_a_file_without_people_asks_a_second_person_and_spares_the_last_administrator(frauke, boss):
    row = read("E-Mail;Name\n", frauke, mode="everybody")
    assert row.counts["leaves"] == 2
    assert imports.needs_second(row)
    imports.agree(row=row, typed="2", by=frauke, now=NOW)
    row.refresh_from_db()
    imports.agree_second(row=row, typed="2", by=boss, now=NOW)
    import_people()
    row.refresh_from_db()
    boss.refresh_from_db()
    assert boss.left_at is None
    assert row.counts["leaves"] == 1
    assert row.refused == [[0, "last", ""]]


def test_a_worker_that_died_is_followed_by_the_next_and_nothing_is_done_twice(frauke, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    row = read(lines(*(f"p{n}@x.de;P {n};{n};;;" for n in range(7))), frauke)
    imports.agree(row=row, typed="", by=frauke, now=NOW)
    real, calls = directory.apply, []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(*args, **kwargs)

    monkeypatch.setattr(directory, "apply", dies)
    claimed = imports.claim(now=NOW)
    with pytest.raises(KeyboardInterrupt):
        imports.work(row=claimed, seconds=9, now=NOW)
    assert Person.objects.filter(name__startswith="P ").count() == 4
    assert imports.claim(now=NOW) is None
    later = NOW + imports.LEASE + dt.timedelta(seconds=1)
    imports.work(row=imports.claim(now=later), seconds=9, now=later)
    row.refresh_from_db()
    assert (row.state, row.counts["new"], row.lines) == ("done", 7, 7)
    assert Person.objects.filter(name__startswith="P ").count() == 7


def test_nothing_of_the_file_is_left_when_it_is_done(frauke):
    row = run(read(lines(ANNE), frauke), frauke)
    assert (DirectoryRow.objects.count(), ImportPiece.objects.count()) == (0, 0)
    assert row.samples == []
    entry = AuditEntry.objects.get(act="import.done")
    assert (entry.actor_id, entry.facts) == (frauke.pk, {"new": 1, "limit": 5})


def test_a_file_nobody_goes_on_with_is_dropped_after_a_week(frauke):
    row = read(lines(ANNE), frauke)
    assert night("files", now=NOW + dt.timedelta(days=6)) == 0
    assert night("files", now=NOW + dt.timedelta(days=8)) == 1
    row.refresh_from_db()
    assert (row.state, ImportPiece.objects.count()) == ("dropped", 0)


def test_a_file_that_is_too_large_is_refused_unread(frauke, monkeypatch):
    monkeypatch.setattr(csvfiles, "MOST_BYTES", 100)
    with pytest.raises(FileRefused, match="MB"):
        imports.upload(upload=sent("x" * 101), by=frauke, now=NOW)


@pytest.mark.parametrize("case", cases("csv_import"))
def test_corpus_of_files(case, frauke):
    content = value(case)
    content = content.encode() if isinstance(content, str) else content
    before = set(Person.objects.values_list("pk", flat=True))
    page = browser(frauke)
    answer = page.post("/people/import/", {"file": sent(content)})
    if answer.status_code == 302:
        row = PeopleImport.objects.get()
        chosen = {field: name for field, name in _chosen(row).items() if name}
        answer = page.post(f"{answer.url}columns/", {**chosen, "mode": "add"})
        import_people()
        if PeopleImport.objects.get().state == "read":
            page.post(f"/people/import/{row.pk}/yes/")
            import_people()
    made = Person.objects.exclude(pk__in=before)
    row = PeopleImport.objects.first()
    if case["expect"] in {"accept", "escape"}:
        assert [(row.state, row.counts["new"], row.refused)] == [("done", 1, [])]
    else:
        refused = answer.status_code == 422 or row.state == "refused" or bool(row.refused)
        assert refused
    assert not Role.objects.filter(person__in=made).exists()


def _chosen(row):
    return columns.guess(row.header, {})


def test_pages_show_each_state_and_keep_what_was_chosen(frauke):
    page = browser(frauke)
    assert page.post("/people/import/").status_code == 422
    answer = page.post("/people/import/", {"file": sent(lines(ANNE))})
    address = answer.url
    assert b"Monteurin" in page.get(address).content
    wrong = page.post(
        f"{address}columns/", {"name": "Name", "site": "Standort", "mode": "everybody"}
    )
    assert wrong.status_code == 422
    assert b"<option selected>Standort</option>" in wrong.content
    assert b'value="everybody" checked' in wrong.content
    page.post(f"{address}columns/", {"email": "E-Mail", "name": "Name", "mode": "add"})
    assert b"every 2s" in page.get(address).content
    import_people()
    assert b"This would happen" in page.get(address).content
    page.post(f"{address}columns/", {"again": "yes"})
    assert b"Which column is what" in page.get(address).content
    page.post(f"{address}columns/", {"email": "E-Mail", "name": "Name", "mode": "add"})
    import_people()
    page.post(f"{address}yes/")
    import_people()
    assert b"This was done" in page.get(address).content
    assert page.post(f"{address}drop/").status_code == 302
    assert PeopleImport.objects.get().state == "done"


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_for_one_and_three(count, frauke, django_assert_num_queries):
    for _n in range(count):
        imports.upload(upload=sent(lines(ANNE)), by=frauke, now=timezone.now())
    page = browser(frauke)
    with django_assert_num_queries(5):
        page.get("/people/import/")


def test_who_is_neither_hr_nor_administrator_stays_out(jona):
    page = browser(jona)
    assert page.get("/people/import/").status_code == 403


def test_newcomers_are_written_to_once_and_only_where_the_company_wants_it(
    frauke, settings, mailoutbox
):
    run(read(lines(ANNE), frauke), frauke)
    noon = dt.datetime(2026, 11, 25, 11, tzinfo=dt.UTC)
    assert welcomes.send_due(most=9, now=noon) == 0
    settings.INVITE_JOINERS = True
    run(read(lines(ANNE, "bodo@nordwind.example;Bodo Lund;101;;;en"), frauke), frauke)
    night = dt.datetime(2026, 11, 25, 23, tzinfo=dt.UTC)
    assert [welcomes.send_due(most=9, now=at) for at in (night, noon, noon)] == [0, 1, 0]
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["bodo@nordwind.example"], f"{settings.ORGANISATION}: Botschaft is open to you")
    ]
