"""People, their roles and their sites."""

import datetime as dt
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ambassadors import tidying
from ambassadors.composed import composed


def normalise_email(email: str) -> str:
    """Fold an address for comparison only; mail always goes to the stored one.

    PostgreSQL's ``UPPER`` makes ``ı`` equal to ``I`` (CVE-2019-19844), so we compare this column.
    """
    return tidying.normal("NFKC", tidying.mail_address(email)).casefold()


def quiet_hours_are_hours(name: str) -> models.CheckConstraint:
    """Both hours of a day, or neither. Equal ones mean that no hour is quiet."""
    hours = models.Q(
        quiet_from_hour__isnull=False,  # without it NULL would pass for true
        quiet_until_hour__isnull=False,
        quiet_from_hour__lte=23,
        quiet_until_hour__lte=23,
    )
    neither = models.Q(quiet_from_hour__isnull=True, quiet_until_hour__isnull=True)
    return models.CheckConstraint(condition=hours | neither, name=name)


class Site(models.Model):
    """A place where people work."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="Europe/Berlin")
    country = models.CharField(
        max_length=2, default="DE", help_text="ISO 3166-1; whose law its people's posts follow."
    )
    subdivision = models.CharField(
        max_length=32, blank=True, help_text="Its part of the country, where holidays differ."
    )
    quiet_from_hour = models.PositiveSmallIntegerField(null=True, blank=True)
    quiet_until_hour = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Both empty: the company's quiet hours."
    )

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [quiet_hours_are_hours("site_quiet_hours")]

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    """Creates people and finds them by their normalised address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """Store a person; without a password they log in by link, passkey or SSO."""
        person = Person(email=email, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str, **fields: Any) -> "Person":
        """Store a person who may use Django's admin and holds the administrator role."""
        person = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        Role.objects.create(person=person, name=Role.Name.ADMINISTRATOR)
        return person

    def get_by_natural_key(self, username: str | None) -> "Person":
        """Find a person by address, whatever its case or Unicode form."""
        return self.get(email_normalised=normalise_email(username or ""))


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who works here, or did."""

    class Language(models.TextChoices):
        GERMAN = "de", _("German")
        ENGLISH = "en", _("English")

    email = models.EmailField(_("e-mail"))
    email_normalised = models.CharField(max_length=254, unique=True, editable=False)
    external_id = models.CharField(
        max_length=255, blank=True, help_text="What the company's directory calls the person."
    )
    directory_groups = models.JSONField(
        default=list, help_text="Groups of the directory that gave something when last read."
    )
    name = models.CharField(_("name"), max_length=150)
    job_title = models.CharField(_("job title"), max_length=150, blank=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.GERMAN)
    languages = models.JSONField(default=list, help_text="Languages the person writes in.")
    interests = models.JSONField(default=list, help_text="Slugs of topics the person follows.")
    timezone = models.CharField(max_length=64, default="Europe/Berlin")
    quiet_from_hour = models.PositiveSmallIntegerField(null=True, blank=True)
    quiet_until_hour = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The person's own quiet hours; both empty: the site's."
    )
    quiet_free_days = models.BooleanField(
        db_default=True, help_text="Quiet on whole weekends and holidays, too."
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)
    left_at = models.DateTimeField(null=True, blank=True)
    leaves_on = models.DateField(
        null=True, blank=True, help_text="The last day, as planned; over at its end on their clock."
    )
    erases_at = models.DateTimeField(
        null=True, blank=True, help_text="The person asked to be erased; until then they may stay."
    )
    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="This row was emptied: it names nobody any more."
    )
    welcome = models.PositiveSmallIntegerField(
        db_default=1,
        help_text="First run: 1 not met, 2 to 4 at its steps, 0 over. Only the person sees it.",
    )
    hours_per_month = models.DecimalField(
        _("hours per month"), max_digits=4, decimal_places=1, null=True, blank=True,
        help_text="What the person says they have for this; nobody measures it.",
    )  # fmt: skip
    hours_shown = models.BooleanField(
        default=False, help_text="The person lets their row in the roster say the hours."
    )
    too_much_since = models.DateTimeField(
        null=True, blank=True, help_text="The person said that it is too much at present."
    )
    too_much_shown = models.BooleanField(
        default=False, help_text="The person lets their row in the roster say so."
    )
    evidence_key = models.UUIDField(
        unique=True,
        editable=False,
        db_default=RandomUUID(),
        help_text="Names the person in append-only proofs; a new key makes the old ones nameless.",
    )

    # Roles that the session of this request has not proved enough for; see advocacy.second_factor.
    resting: frozenset[str] = frozenset()

    objects = PersonManager()

    USERNAME_FIELD = "email_normalised"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["email", "name"]

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["leaves_on"],
                condition=models.Q(leaves_on__isnull=False),
                name="person_leaves_on",
            ),
            models.Index(
                fields=["name", "id"],
                condition=models.Q(left_at__isnull=True),
                name="person_here_by_name",
            ),
            GinIndex(SearchVector("name", config="simple"), name="person_name_words"),
            GinIndex(fields=["languages"], opclasses=["jsonb_path_ops"], name="person_languages"),
            models.Index(
                fields=["language"],
                condition=models.Q(languages=[]),
                name="person_writes_as_reads",
            ),
            GinIndex(fields=["interests"], opclasses=["jsonb_path_ops"], name="person_interests"),
        ]
        constraints: ClassVar = [
            quiet_hours_are_hours("person_quiet_hours"),
            models.UniqueConstraint(
                fields=["external_id"],
                condition=~models.Q(external_id=""),
                name="person_external_id_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def set_password(self, raw_password: str | None) -> None:
        """Take a password, in whatever form its signs are typed (NIST SP 800-63B, 3.1.1.2)."""
        super().set_password(raw_password and tidying.normal("NFC", raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Tell whether it is the password."""
        return super().check_password(raw_password and tidying.normal("NFC", raw_password))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the comparison column in step with the address, whose domain is stored in ASCII."""
        self.email = tidying.mail_address(self.email)
        self.email_normalised = normalise_email(self.email)
        if "email" in (kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = {*kwargs["update_fields"], "email_normalised"}
        super().save(*args, **kwargs)

    @property
    def shown_email(self) -> str:
        """The address as people write it."""
        return tidying.shown_mail(self.email)

    @property
    def role_names(self) -> frozenset[str]:
        """The roles that count now: all that were given, without those that rest."""
        return self.given_roles - self.resting

    @property
    def resting_roles(self) -> list[str]:
        """Words for the given roles that do not count until there is a second factor."""
        return [str(Role.Name(name).label) for name in sorted(self.given_roles & self.resting)]

    @cached_property
    def given_roles(self) -> frozenset[str]:
        """All roles of this person, and what they are by fact; read once per request."""
        return frozenset(name for (name,) in roles_of(self.pk))

    def read_roles(self) -> frozenset[str] | None:
        """The given roles where somebody has asked for them already; None costs no query."""
        return self.__dict__.get("given_roles")

    def has_role(self, *names: str) -> bool:
        """Tell whether the person holds one of the roles."""
        return not self.role_names.isdisjoint(names)

    @property
    def zone(self) -> ZoneInfo:
        """The person's wall clock; the company's where a directory sent a name that is none."""
        try:
            return ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            return ZoneInfo(settings.TIME_ZONE)

    @property
    def first_name(self) -> str:
        """What we call them in a greeting."""
        return self.name.split(" ", 1)[0]

    def local(self, instant: dt.datetime) -> dt.datetime:
        """Show an instant on the person's clock."""
        return instant.astimezone(self.zone)


class Role(models.Model):
    """What somebody may do beside taking part. Everybody may take part."""

    class Name(models.TextChoices):
        AMBASSADOR = "ambassador", _("Ambassador")
        CURATOR = "curator", _("Curator")
        LEGAL = "legal", _("Legal")
        HR = "hr", _("HR")
        AUDITOR = "auditor", _("Auditor")
        ADMINISTRATOR = "administrator", _("Administrator")

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    name = models.CharField(max_length=20, choices=Name.choices)
    granted_at = models.DateTimeField(auto_now_add=True)
    by_group = models.BooleanField(
        default=False, help_text="Comes from a group of the directory and goes with it."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "name"], name="role_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.name}"


@composed
def roles_of(person: int) -> "models.QuerySet[Any, Any]":
    """The names of what was given to a person (their key), and of what they are by fact.

    ``lead`` leads a team, ``lead_contact`` one of contacts, ``contact`` serves in one.
    """

    def fact(rows: "models.QuerySet[Any]", name: str) -> "models.QuerySet[Any, Any]":
        return rows.order_by().values_list(models.Value(name))

    teams, terms = (apps.get_model("ambassadors", name) for name in ("Team", "Membership"))
    leads = teams.objects.filter(lead=person)
    serves = terms.objects.filter(person=person, stage="active", team__kind__behaviour="contact")
    return (
        Role.objects.filter(person=person)
        .values_list("name")
        .union(
            fact(leads, "lead"),
            fact(leads.filter(kind__behaviour="contact"), "lead_contact"),
            fact(serves, "contact"),
        )
    )
