"""Who writes which column, as docs/fields.md says it, against forms and bodies (ASVS 8.1.2)."""

import ast
import dataclasses
import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.db import models
from rest_framework import serializers

from advocacy.api.fields import Body
from ambassadors.models import Person
from integrations.api_tokens import SCOPES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/fields.md").read_text()
ROOMS = ("ambassadors", "integrations", "campaigns", "curation", "people", "reception")
WRITERS = {
    "the person", "HR", "the lead of the team", "HR and the lead of the team", "curators",
    "legal", "administrators", "HR and administrators", "curators and administrators",
    "HR and curators", "everybody", "strangers", "the directory", "who was asked", "the speaker",
    "editors of a channel and curators", "the contact who has it, or the lead of contacts",
    "the asker, a stranger or a colleague", "the asker", "the speaker and coordinators",
    "coordinators",
}  # fmt: skip


# The page --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Row:
    """What the page says of one table, or of several of which it says the same."""

    room: str
    tables: tuple[str, ...]
    hand: dict[str, set[str]]
    presses: str
    readers: str

    @property
    def columns(self):
        return set().union(*(columns_of(f"{self.room}.{table}") for table in self.tables))

    @property
    def by_hand(self):
        """Columns that somebody types or ticks on a page."""
        return set().union(*(
            names for who, names in self.hand.items()
            if who != "the directory" and not who.startswith("programs with")
        ))  # fmt: skip


def named(text):
    return set(re.findall(r"`(\w+)`", text))


def columns_of(table):
    """Columns and sets of a table, without the number of the row."""
    about = apps.get_model(table)._meta
    rows = [f for f in about.local_fields if not isinstance(f, models.AutoField)]
    return {field.name for field in (*rows, *about.local_many_to_many)}


def _said():
    for room in ROOMS:
        part = PAGE.split(f"\n## {room}\n")[1].split("\n## ")[0]
        for line in part.splitlines():
            if not line.startswith("| ") or line.startswith("| table "):
                continue
            tables, hand, presses, readers = (cell.strip() for cell in line.strip("|").split(" | "))
            by = {}
            for clause in [] if hand == "–" else hand.split("; "):
                who, _colon, what = clause.partition(": ")
                by.setdefault(who.partition(" (")[0], set()).update(named(what))
            yield Row(room, tuple(tables.split(", ")), by, presses, readers)


SAID = list(_said())
RULES = {f"{row.room}.{table}": row for row in SAID for table in row.tables}


def test_every_table_of_the_rooms_has_one_row():
    told = sorted(f"{row.room}.{table}" for row in SAID for table in row.tables)
    rooms = [model for room in ROOMS for model in apps.get_app_config(room).get_models()]
    assert told == sorted(f"{model._meta.app_label}.{model.__name__}" for model in rooms)


@pytest.mark.parametrize("row", SAID, ids=lambda row: f"{row.room}.{row.tables[0]}")
def test_row_names_columns_that_exist_and_leaves_none_out(row):
    written = row.by_hand.union(*row.hand.values(), named(row.presses))
    assert (written | named(row.readers)) - row.columns == set()
    whole = re.search(r": (the rest|all of it)\b", row.presses)
    assert whole or written == row.columns
    assert all(row.hand.values())
    assert row.readers


def test_writers_are_called_by_the_same_words():
    who = {name for row in SAID for name in row.hand}
    programs = {name.removeprefix("programs with ") for name in who if name.startswith("programs")}
    assert {name for name in who - WRITERS if not name.startswith("programs")} == set()
    assert programs - {"the key of one practice wall"} - set(SCOPES) == set()
    assert {scope for scope in SCOPES if scope.endswith(":write")} - programs == set()


def test_rights_states_and_keys_are_written_by_nobodys_hand():
    """What the page promises everywhere, in its own tables. Each exception has its reason there."""
    never = {
        "state", "stage", "blocked", "is_active", "is_staff", "is_superuser", "left_at", "groups",
        "user_permissions", "approved_by", "approved_at", "in_force_by", "in_force_at", "author",
        "published_at", "evidence_key", "revision", "submission", "slug", "code", "sha256",
        "digest", "key_id", "sealed", "key",
    }  # fmt: skip
    found = {
        f"{table}.{name}" for table, row in RULES.items() for name in row.by_hand & never
    }  # fmt: skip
    assert found == {"integrations.ChatRoom.sealed", "integrations.PushDevice.sealed"}
    assert RULES["ambassadors.Role"].hand == {}


def test_people_whom_a_hand_may_name():
    """Everywhere else who did it is whoever is logged in."""
    found = {
        f"{table}.{name}"
        for table, row in RULES.items()
        for name in row.by_hand & columns_of(table)
        if apps.get_model(table)._meta.get_field(name).related_model is Person
    }
    assert found == {
        "ambassadors.Absence.deputy", "ambassadors.Team.lead", "campaigns.Briefing.contact",
        "campaigns.Feedback.person", "campaigns.PictureFace.person", "campaigns.Suggestion.owner",
        "campaigns.Takeover.person", "campaigns.Topic.deputies", "campaigns.Topic.owner",
        "integrations.ConnectedAccount.editors", "people.Nomination.nominee",
        "people.Session.trainer", "reception.Inquiry.chosen", "reception.Inquiry.owner",
    }  # fmt: skip


# Forms and bodies ------------------------------------------------------------------------------

# Which table a form writes. The values of a form go to no other one.
FORMS = {
    "advocacy.views.own_address.AddressForm": "ambassadors.Person",
    "curation.forms.SuggestionForm": "campaigns.Suggestion",
    "curation.views.activities.ActivityForm": "campaigns.Activity",
    "curation.views.briefings.IssueForm": "campaigns.Briefing",
    "curation.views.campaigns.CampaignForm": "campaigns.Campaign",
    "curation.views.pictures.FaceForm": "campaigns.PictureFace",
    "curation.views.pictures.PictureForm": "campaigns.Picture",
    "curation.views.reviews.AwayForm": "ambassadors.Absence",
    "curation.views.sources.AddressForm": "curation.Source",
    "curation.views.sources.RuleForm": "curation.SourceRule",
    "curation.views.sources.SourceForm": "curation.Source",
    "curation.views.takeovers.TakeoverForm": "campaigns.Takeover",
    "curation.views.topics.TopicForm": "campaigns.Topic",
    "people.forms.CourseForm": "people.Course",
    "people.forms.LessonForm": "people.Lesson",
    "people.forms.SessionForm": "people.Session",
    "people.guideline_forms.GuidelineForm": "ambassadors.GuidelineVersion",
    "people.team_forms.ApplicationForm": "people.Application",
    "people.team_forms.CallForm": "people.Call",
    "people.team_forms.KindForm": "ambassadors.TeamKind",
    "people.team_forms.TeamForm": "ambassadors.Team",
    "reception.talk_forms.DatesForm": "reception.TalkRequest",
    "reception.talk_forms.PreparationForm": "reception.TalkRequest",
    "reception.talk_forms.ProfileForm": "reception.Speaker",
    "reception.talk_forms.RequestForm": "reception.TalkRequest",
    "reception.talk_forms.StrangerForm": "reception.TalkRequest",
    "reception.talk_forms.TalkForm": "reception.Talk",
}
# What pages fill by hand, where no form class stands between.
FILLED = {
    "campaigns.campaigns.Plan": "campaigns.Campaign",
    "integrations.chats.Typed": "integrations.ChatRoom",
    "people.sessions.Terms": "people.Session",
    "reception.cards.Written": "reception.ContactCard",
    "reception.widgets.Wanted": "reception.Widget",
}
BODIES = {
    "advocacy.api.drafts.DraftChange": ("campaigns.Suggestion", "drafts:write"),
    "advocacy.api.drafts.NewDraft": ("campaigns.Suggestion", "drafts:write"),
    "advocacy.api.drafts.NewWording": ("campaigns.Variant", "drafts:write"),
    "advocacy.api.programme.NewIdea": ("campaigns.Proposal", "ideas:write"),
    "advocacy.api.topics.HoldBody": ("campaigns.HoldRecord", "holds:write"),
    "advocacy.api.topics.LightBody": ("campaigns.LightChange", "lights:write"),
}


def path_of(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def kinds_of(base):
    """Every class of ours below one, wherever it is written."""
    for room in ("advocacy", *ROOMS):
        for module in pkgutil.walk_packages(
            importlib.import_module(room).__path__, f"{room}.", onerror=lambda _name: None
        ):
            if not re.search(
                r"\.(migrations|management|settings|wsgi|embedded|nordwind)\b", module.name
            ):
                importlib.import_module(module.name)

    def below(kind):
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    return {
        path_of(kind): kind
        for kind in below(base)
        if kind.__module__.partition(".")[0] in {"advocacy", *ROOMS}
    }


def load(path):
    module, _dot, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_form_and_every_body_is_known():
    """A new one says which table it writes, or this fails. Forms of the login write none."""
    login = ("advocacy.logged.", "advocacy.login_forms.", "advocacy.factor_codes.")
    assert {path for path in kinds_of(forms.BaseForm) if not path.startswith(login)} == set(FORMS)
    assert set(kinds_of(Body)) == set(BODIES)


@pytest.mark.parametrize("path", FORMS)
def test_form_takes_only_columns_that_the_page_says_people_write(path):
    form, table = load(path), FORMS[path]
    taken = set(form.base_fields) & columns_of(table)
    if issubclass(form, forms.ModelForm):
        about = form._meta
        assert path_of(about.model) == path_of(apps.get_model(table))
        assert about.exclude is None
        assert isinstance(about.fields, tuple | list)  # never "__all__"
        taken |= set(about.fields)
    assert taken
    assert taken - RULES[table].by_hand == set()


@pytest.mark.parametrize("path", FILLED)
def test_filled_by_hand_are_only_columns_that_the_page_says_people_write(path):
    names = {field.name for field in dataclasses.fields(load(path))} & columns_of(FILLED[path])
    assert names
    assert names - RULES[FILLED[path]].by_hand == set()


@pytest.mark.parametrize("path", BODIES)
def test_body_takes_only_columns_that_the_page_gives_to_its_scope(path):
    table, scope = BODIES[path]
    taken = set(load(path)().fields) & columns_of(table)
    assert taken
    assert taken - RULES[table].hand[f"programs with {scope}"] == set()


def test_no_other_way_binds_a_row_to_what_was_sent():
    """No serializer of rows, no admin, no set of forms: each would write what it was not told of."""
    assert kinds_of(serializers.ModelSerializer) == {}
    assert kinds_of(forms.BaseFormSet) == {}
    assert kinds_of(admin.ModelAdmin) == {}
    operations = (ROOT / "advocacy/api").glob("*.py")
    takes = {name for file in operations for name in re.findall(r"takes=(\w+)", file.read_text())}
    assert takes - {path.rpartition(".")[2] for path in BODIES} == set()


# Names that pages read and some table has as a column that no hand writes: what is done with each.
READ_FOR = {
    "act": "which button was pressed",
    "alt": "the words of a picture, alt_de or alt_en",
    "aspect": "a press, one of the ratios to cut a picture in",
    "code": "opens a stranger's own question, found before anything is shown",
    "day": "a row of the page's own, found before anything is done",
    "handle": "sent to the network, which says whose account it is",
    "kept": "a picture of the person's own, signed",
    "key": "of the opened form or the device: sent twice, it counts once",
    "quarter": "whose proofs an auditor exports",
    "question": "a stranger's text, or a row of the page's own",
    "revision": "compared with what is stored",
    "server": "the base_url of an attempt, normalised",
    "sha256": "compared with the text that is approved",
    "shown": "bookings of the page's own, found before anything is done",
    "shows": "the tick shows_name",
    "slug": "a row that HR looks after, found before anything is done",
    "speaker": "somebody who can be asked, found before anything is done",
    "spread": "an act of the curator's own, found before anything is done",
    "submission": "of the opened form: sent twice, it counts once",
    "suggestion": "one that the person may see, found before anything is done",
    "turn": "compared with what is stored",
    "until": "the day of a pause, or of a consent on file",
}


def read_by_pages():
    """Literal names of form fields in all views: ``typed.get("x")``, ``request.POST["x"]``."""
    bases = {"request.POST", "request.FILES", "typed", "form", "data", "post", "named"}
    for file in sorted(ROOT.glob("*/views/*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=base, attr="get" | "getlist"),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    pass
                case ast.Subscript(value=base, slice=ast.Constant(value=str(name))):
                    pass
                case _:
                    continue
            if ast.unparse(base) in bases:
                yield name


def test_pages_read_no_name_of_a_column_that_only_the_program_writes():
    everywhere = set().union(*(columns_of(table) for table in RULES))
    hand = set().union(*(row.by_hand for row in RULES.values()))
    found = set(read_by_pages())
    assert len(found) > 150
    assert sorted((found & everywhere) - hand) == sorted(READ_FOR)


# What programs read ----------------------------------------------------------------------------

READ = {
    "advocacy.api.drafts.DraftBody": ("campaigns.Suggestion", "drafts:write"),
    "advocacy.api.mine.LinkBody": ("campaigns.ShortLink", "posts:read"),
    "advocacy.api.mine.PostBody": ("campaigns.Post", "posts:read"),
    "advocacy.api.people.DateBody": ("people.Session", "training:read"),
    "advocacy.api.people.TeamBody": ("ambassadors.Team", "teams:read"),
    "advocacy.api.people.TermBody": ("ambassadors.Membership", "people:read"),
    "advocacy.api.programme.BriefingBody": ("campaigns.Briefing", "briefings:read"),
    "advocacy.api.programme.CampaignBody": ("campaigns.Campaign", "campaigns:read"),
    "advocacy.api.programme.GuidelineBody": ("ambassadors.GuidelineVersion", "guidelines:read"),
    "advocacy.api.programme.IdeaBody": ("campaigns.Proposal", "ideas:write"),
    "advocacy.api.reception.CardBody": ("reception.ContactCard", "cards:read"),
    "advocacy.api.reception.MonthBody": ("reception.MonthFigure", "inquiries:read"),
    "advocacy.api.suggestions.SuggestionBody": ("campaigns.Suggestion", "suggestions:read"),
    "advocacy.api.suggestions.WordingBody": ("campaigns.Variant", ""),  # inside of a suggestion
    "advocacy.api.topics.TopicBody": ("campaigns.Topic", "topics:read"),
}
# Inside of another, about the key that asks, or figures of groups, which analytics.md explains.
NO_ROW = {
    "endpoint.ProblemBody", "endpoint.Wrong", "fields.Body", "figures.CellBody",
    "figures.FigureBody", "figures.FiguresBody", "mine.TokenBody", "people.KindBody",
    "programme.ItemBody", "topics.Fact", "topics.Held", "topics.LineBody", "topics.Link",
    "topics.Pair", "topics.SituationBody",
}  # fmt: skip


def test_every_answer_of_the_api_is_known():
    found = set(kinds_of(serializers.Serializer)) - set(BODIES)
    assert {p.removeprefix("advocacy.api.") for p in found - set(READ)} == NO_ROW


@pytest.mark.parametrize("path", READ)
def test_answer_tells_no_column_that_the_page_leaves_out_for_its_scope(path):
    table, scope = READ[path]
    readers = RULES[table].readers
    if not scope:
        assert "as Suggestion" in readers
        return
    [said_of] = [part for part in readers.split("; ") if f"programs with {scope}" in part]
    told = {
        str(field.source or name).partition(".")[0].removesuffix("_id")
        for name, field in load(path)().fields.items()
    } & columns_of(table)
    left_out = named(said_of.partition("without")[2])
    assert told & left_out == set()
    if ": `" in said_of:  # exactly these
        assert told - named(said_of) - {"person"} == set()
