"""What SCIM needs beside a person: keys of identity providers, names they use, groups, leavings."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person


class ScimToken(models.Model):
    """The key of one identity provider. Only its hash is kept; the key is shown once."""

    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key.")
    shown = models.CharField(max_length=8, help_text="Its last signs, to tell keys apart.")
    made_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    used_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.name


class ScimUser(models.Model):
    """A person as an identity provider described them last, in the attributes we know."""

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, primary_key=True, related_name="scim"
    )
    user_name_key = models.CharField(  # noqa: DJ001 - several deleted ones have none
        max_length=255, unique=True, null=True, help_text="Folded; none once it was deleted."
    )
    said = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.said.get("userName", ""))


class ScimGroup(models.Model):
    """A group of the directory. What it gives stands in :class:`ambassadors.models.GroupRule`."""

    display_name = models.CharField(max_length=255)
    key = models.CharField(max_length=255, unique=True, help_text="The name, folded.")
    external_id = models.CharField(max_length=255, blank=True)
    members = models.ManyToManyField(Person, through="ScimMember", related_name="scim_groups")
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.display_name


class ScimMember(models.Model):
    """A person in a group of the directory."""

    group = models.ForeignKey(ScimGroup, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "person"], name="scim_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.group_id}"


class GroupNews(models.Model):
    """Somebody's groups or their rules changed; a worker has not looked yet."""

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, primary_key=True, related_name="group_news"
    )

    def __str__(self) -> str:
        return str(self.person_id)


class Welcome(models.Model):
    """Somebody the directory brought, who is still to be written to."""

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, primary_key=True, related_name="welcome_owed"
    )

    def __str__(self) -> str:
        return str(self.person_id)


class Departure(models.Model):
    """An identity provider said that somebody is gone.

    Within the brake's limit they leave at once. Beyond it they are only locked out, which can be
    taken back, until an administrator says whether they have left.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("locked out, waits for an administrator")
        AGREED = "agreed", _("about to leave")
        DONE = "done", _("have left")
        WITHDRAWN = "withdrawn", _("stayed")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="departures")
    state = models.CharField(max_length=9, choices=State.choices)
    asked_at = models.DateTimeField(db_index=True)
    agreed_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["asked_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(state__in=["waiting", "agreed"]),
                name="departure_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.state}"
