"""The register of processing (Art. 30 GDPR), written from the code: for docs/data-protection/.

What is stored, what erasing does and how long things are kept come from the rooms' ``takeout.py``
and ``retention.py``; figures from :mod:`ambassadors.agreement`. Written down here is only what no
code knows: what a room is for, on which ground, and who receives something.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.apps import apps
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from ambassadors import agreement, anonymity, retention
from ambassadors.takeout import Table

FILES = {"en": "register.md", "de": "verzeichnis.md"}


@dataclass(frozen=True, slots=True)
class Activity:
    """One processing: its name, what for, on which ground, about whom, and who receives it.

    ``strangers`` are columns about people who have no login, as ``(model, columns)``.
    """

    name: str
    purpose: str
    ground: str
    whom: str
    receivers: str
    strangers: tuple[tuple[str, tuple[str, ...]], ...] = ()


_EMPLOYEES = gettext_noop("employees who have a login")
_NOBODY = gettext_noop("nobody outside the company")
_CONSENT = gettext_noop(
    "consent, Art. 6 (1) (a) GDPR with § 26 (2) BDSG: each by itself, withdrawn with one press"
)
_INTEREST = gettext_noop("legitimate interest, Art. 6 (1) (f) GDPR, and the works agreement")
# By room; the login's own tables (allauth) belong to the first.
ACTIVITIES: dict[str, Activity] = {
    "ambassadors": Activity(
        gettext_noop("People, logins, teams and the record"),
        gettext_noop(
            "To know who may do what, to keep a login safe, to keep guidelines and consents"
            " provable, and to show who turned which switch."
        ),
        _INTEREST,
        gettext_noop("employees in the company’s directory"),
        gettext_noop("the company’s mail server; its login provider, if one is connected"),
    ),
    "integrations": Activity(
        gettext_noop("Accounts at networks, devices, programs"),
        gettext_noop(
            "To publish for a person on their own account, to notify their device, and to open the"
            " interface for their programs."
        ),
        _CONSENT,
        _EMPLOYEES,
        gettext_noop(
            "the network that the person connected; the push service of their browser’s maker;"
            " Slack, if an administrator added it and the person chose it"
        ),
    ),
    "campaigns": Activity(
        gettext_noop("Suggestions, posts and their proof"),
        gettext_noop(
            "To let people say something in their own words, to publish it when they ask for it, to"
            " stop it when a topic is on hold, and to prove the label of what left."
        ),
        gettext_noop(
            "consent, Art. 6 (1) (a) GDPR, for publishing and for reading figures; legitimate"
            " interest, Art. 6 (1) (f) GDPR, for the proof (§ 5a (4) UWG, § 22 MStV)"
        ),
        _EMPLOYEES,
        gettext_noop("the network that the person chose: text, picture, link of the post"),
        (("campaigns.ClickDay", ("link", "day", "count")),),
    ),
    "curation": Activity(
        gettext_noop("The newsroom"),
        gettext_noop("To write, review and plan suggestions together without losing a sentence."),
        _INTEREST,
        gettext_noop("curators and whoever reviews"),
        _NOBODY,
    ),
    "people": Activity(
        gettext_noop("The programme: calls, places, training, survey"),
        gettext_noop(
            "To find and train ambassadors, to keep people in step with the directory, and to ask"
            " how they are without knowing who answers."
        ),
        gettext_noop(
            "consent, Art. 6 (1) (a) GDPR, for the roster and for taking part; legitimate interest,"
            " Art. 6 (1) (f) GDPR, for keeping people in step with the directory"
        ),
        gettext_noop("employees; those who are invited by mail"),
        gettext_noop("the company’s directory, if one is connected"),
        (("people.Invitation", ("address", "state", "report")),),
    ),
    "reception": Activity(
        gettext_noop("Contacts, questions, speakers"),
        gettext_noop("To let applicants, journalists and organisers ask somebody who knows."),
        gettext_noop(
            "consent, Art. 6 (1) (a) GDPR, of the contacts and speakers; steps before a contract or"
            " legitimate interest, Art. 6 (1) (b) or (f) GDPR, for those who ask"
        ),
        gettext_noop("employees who said yes to a public card; strangers who ask"),
        gettext_noop("whoever opens the public page, as long as the consent holds"),
        (
            ("reception.Inquiry", ("name", "email", "language", "area", "rating")),
            ("reception.InquiryMessage", ("text", "at")),
            ("reception.TalkRequest", ("asker_name", "asker_email", "organisation", "event")),
        ),
    ),
}


def markdown() -> str:
    """The register in the active language."""
    by_room: dict[str, list[tuple[Table, list[str]]]] = defaultdict(list)
    for table, names in agreement.fields():
        room = table.model._meta.app_label  # noqa: SLF001 - Django's documented name
        by_room[room if room in ACTIVITIES else "ambassadors"].append((table, names))
    parts = [_head()]
    for number, (room, activity) in enumerate(ACTIVITIES.items(), start=1):
        parts.append(f"## {number} {_(activity.name)}\n\n{_about(activity)}")
        parts.append(_stored(by_room[room]))
    return "\n\n".join([*parts, _kept(), _figures(), _measures()]) + "\n"


def _head() -> str:
    language = get_language() or "en"
    front = f"---\nlang: {language}\n---\n" if language != "en" else ""
    return front + "\n\n".join(
        [
            "# " + _("Register of processing activities (Art. 30 GDPR)"),
            _(
                "Written from the code by `manage.py write_register`; a test fails when it is out"
                " of date. What your company must add stands in square brackets. It is no legal"
                " advice."
            ),
            _table(
                (_("Fact"), _("Entry")),
                [
                    (_("Controller"), _("[company, address, representative]")),
                    (_("Data protection officer"), _("[name, address]")),
                    (_("Processors"), _("none; [whoever runs your servers]")),
                    (
                        _("Transfer to third countries"),
                        _(
                            "none by Botschaft. A network may be in one: the person publishes there"
                            " themselves, under its terms."
                        ),
                    ),
                    (_("Special categories (Art. 9)"), _("none are asked for")),
                ],
            ),
        ]
    )


def _about(activity: Activity) -> str:
    facts = [
        (_("What for"), _(activity.purpose)),
        (_("On which ground"), _(activity.ground)),
        (_("About whom"), _(activity.whom)),
        (_("Who receives something"), _(activity.receivers)),
    ]
    facts += [
        (
            _("People without a login"),
            f"`{apps.get_model(model)._meta.label}`: "  # noqa: SLF001
            + ", ".join(
                apps.get_model(model)._meta.get_field(column).name  # noqa: SLF001
                for column in columns
            ),
        )
        for model, columns in activity.strangers
    ]
    return _table((_("Fact"), _("Entry")), facts)


def _stored(rows: list[tuple[Table, list[str]]]) -> str:
    return _table(
        (_("Stored, as the person reads it"), _("Fields"), _("When somebody is erased")),
        [(_(table.title), ", ".join(names), _erased(table.erasure)) for table, names in rows],
    )


def _erased(erasure: str) -> str:
    """What erasing does with a row, in one word or two."""
    if erasure == "deleted":
        return _("deleted")
    if "emptied" in erasure:
        return _("emptied")
    return (
        _("stays without the name") if "stays" in erasure else _("kept as proof, without the name")
    )


def _kept() -> str:
    rows = [(_(kept.title), _period(kept), _(kept.why)) for kept in retention.classes()]
    rows += [(_(title), _("no clock"), _(why)) for title, why in retention.UNTIMED]
    return "\n\n".join(
        [
            "## " + _("How long things are kept"),
            _(
                "Usual days, and the bounds in which an administrator may choose. What holds at"
                " your company stands under *Record → Periods*."
            ),
            _table((_("What"), _("Days"), _("Why")), rows),
        ]
    )


def _period(kept: retention.Kept) -> str:
    if not kept.most:
        return _("each names its day")
    return str(kept.days) if kept.fixed else f"{kept.days} ({kept.least}–{kept.most})"


def _figures() -> str:
    return "\n\n".join(
        [
            "## " + _("Figures about groups"),
            _("Of %(n)s people at the least; nobody can set it lower. There are no others.")
            % {"n": anonymity.GROUP},
            _table(
                (_("Figure"), _("Seen by"), _("In the program")),
                [
                    (_(one.title), _(one.seen_by) if one.seen_by else "–", f"`{one.module}`")
                    for one in agreement.evaluations()
                ],
            ),
        ]
    )


def _measures() -> str:
    lines = (
        _("every address is closed unless its policy opens it; a second factor for roles that act"),
        _("keys of accounts and secrets are sealed, and the seals can be changed while it runs"),
        _("passwords by Argon2; guessing is slowed, and nobody is locked out"),
        _("the record is a chain of hashes that only grows; looks at persons are recorded"),
        _("the servers’ log holds logins and refused tries by number, without names or addresses"),
        _("everything inside talks TLS; each part is given its own secrets and no others"),
        _("no figure below five people, and no two answers that could be subtracted"),
        _("no cookie, script or picture of others; visitors’ addresses are not stored"),
        _("backups without keys; whoever was erased stays erased after a restore"),
        _("[rooms, networks, staff and backups of your own servers]"),
    )
    title = _("Technical and organisational measures (Art. 32)")
    return f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
