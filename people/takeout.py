"""What a person may take along of this room (:mod:`ambassadors.takeout`)."""

from django.utils.translation import gettext_noop

from ambassadors.takeout import DELETED, IN_RECORD, NAMELESS, Table, Untold

from .models import Booking, Completion, LessonDone, Session, TrainingFeed

TABLES = (
    Table(
        Booking, "person", gettext_noop("Seats and places in lines"), DELETED, left_out=("news",)
    ),
    Table(Completion, "person", gettext_noop("Completed courses"), DELETED),
    Table(LessonDone, "person", gettext_noop("Lessons you are through with"), DELETED),
    Table(Session, "trainer", gettext_noop("Dates you train on"), NAMELESS),
    Table(TrainingFeed, "person", gettext_noop("Address of your training calendar"), DELETED),
)
UNTOLD: dict[str, Untold] = {
    "people.PeopleImport.uploaded_by": Untold(IN_RECORD, NAMELESS),
    "people.PeopleImport.agreed_by": Untold(IN_RECORD, NAMELESS),
    "people.PeopleImport.second_by": Untold(IN_RECORD, NAMELESS),
}
