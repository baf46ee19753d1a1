"""What a person may take along of this room (:mod:`ambassadors.takeout`)."""

from django.utils.translation import gettext_noop

from ambassadors.takeout import DELETED, IN_RECORD, NAMELESS, Table, Untold

from .models import (
    Application,
    Booking,
    Completion,
    Departure,
    LessonDone,
    Nomination,
    PulseMail,
    PulseSilence,
    ScimMember,
    ScimUser,
    Session,
)

TABLES = (
    Table(ScimUser, "person", gettext_noop("What the directory says of you"), DELETED),
    Table(ScimMember, "person", gettext_noop("Your groups in the directory"), DELETED),
    Table(Departure, "person", gettext_noop("When the directory said you had left"), DELETED),
    Table(Application, "person", gettext_noop("Your applications"), DELETED),
    Table(Nomination, "nominee", gettext_noop("Colleagues who thought of you"), DELETED),
    Table(
        Booking, "person", gettext_noop("Seats and places in lines"), DELETED, left_out=("news",)
    ),
    Table(Completion, "person", gettext_noop("Completed courses"), DELETED),
    Table(LessonDone, "person", gettext_noop("Lessons you are through with"), DELETED),
    Table(Session, "trainer", gettext_noop("Dates you train on"), NAMELESS),
    # Whether and what somebody answered cannot be told: no row knows it.
    Table(PulseMail, "person", gettext_noop("Mails about a survey"), DELETED),
    Table(PulseSilence, "person", gettext_noop("No mails about surveys"), DELETED),
)
UNTOLD: dict[str, Untold] = {
    "people.Nomination.nominator": Untold(
        "whether the row still stands would tell what a colleague answered or did not", DELETED
    ),
    "people.Call.made_by": Untold(IN_RECORD, NAMELESS),
    "people.InvitationRound.made_by": Untold(IN_RECORD, NAMELESS),
    "people.Invitation.person": Untold(
        "a mail on its way; the column is emptied two weeks after it left", NAMELESS
    ),
    "people.GroupNews.person": Untold("gone within a minute, it only wakes a worker", DELETED),
    "people.ScimGroup.members": Untold("your own groups are told by their rows", DELETED),
    "people.Welcome.person": Untold("a mail that is owed, gone when it went out", DELETED),
    "people.Departure.agreed_by": Untold(IN_RECORD, NAMELESS),
    "people.ScimToken.made_by": Untold(IN_RECORD, NAMELESS),
    "people.PeopleImport.uploaded_by": Untold(IN_RECORD, NAMELESS),
    "people.PeopleImport.agreed_by": Untold(IN_RECORD, NAMELESS),
    "people.PeopleImport.second_by": Untold(IN_RECORD, NAMELESS),
}
