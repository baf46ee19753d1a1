"""What a directory says about people, on its way in; and what its groups mean here."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .person import Role
from .team import Team


class DirectoryRow(models.Model):
    """One person as a file or an identity provider describes them, until it is worked off.

    An empty column was not said and stays as it is. No foreign keys: rows come in by COPY, and
    what they name is looked up when they are planned.
    """

    class Outcome(models.TextChoices):
        NEW = "new", _("new")
        CHANGED = "changed", _("changed")
        SAME = "same", _("unchanged")
        RETURNS = "returns", _("returns")
        LEAVES = "leaves", _("leaves")
        REFUSED = "refused", _("refused")

    batch = models.UUIDField()
    line = models.PositiveIntegerField(help_text="Where it stands in the file, 0 elsewhere.")
    external_id = models.CharField(max_length=255, blank=True)
    email = models.CharField(max_length=254)
    email_normalised = models.CharField(max_length=254)
    name = models.CharField(max_length=150, null=True)  # noqa: DJ001 - null: was not said
    job_title = models.CharField(max_length=150, null=True)  # noqa: DJ001
    site_key = models.BigIntegerField(
        null=True, help_text="0 is none; negative ones are sites that are still to be made."
    )
    language = models.CharField(max_length=2, null=True)  # noqa: DJ001
    timezone = models.CharField(max_length=64, null=True)  # noqa: DJ001
    person_key = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True)
    why = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=80, blank=True)
    done = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["line", "pk"]
        indexes: ClassVar = [models.Index(fields=["batch", "id"], name="directory_batch")]

    def __str__(self) -> str:
        return f"{self.line} {self.outcome} {self.why}"


class GroupRule(models.Model):
    """A group of the directory gives a role, or a seat in a team. Never the highest role."""

    ROLES = tuple(choice for choice in Role.Name.choices if choice[0] != Role.Name.ADMINISTRATOR)

    group = models.CharField(
        max_length=255, help_text="Name or id of the group, folded for comparison."
    )
    shown = models.CharField(max_length=255, help_text="As somebody typed it.")
    role = models.CharField(max_length=20, choices=ROLES, blank=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["shown", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(role="administrator"), name="group_never_administrator"
            ),
            models.CheckConstraint(
                condition=models.Q(role="", team__isnull=False)
                | (~models.Q(role="") & models.Q(team__isnull=True)),
                name="group_role_or_team",
            ),
            models.UniqueConstraint(fields=["group", "role", "team"], nulls_distinct=False,
                                    name="group_rule_once"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.shown} → {self.role or self.team}"
