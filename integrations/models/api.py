"""Keys for programs that speak to us, and the answers that are remembered for a day."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ambassadors.models import Person


class ApiToken(models.Model):
    """A key to the API. Only its hash is kept; the key itself is shown once.

    A ``personal`` one acts for its person. One of the ``installation`` was made by an
    administrator, who answers for it: it ends when they leave.
    """

    class Kind(models.TextChoices):
        PERSONAL = "personal", _("for myself")
        INSTALLATION = "installation", _("for the installation")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="api_tokens")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=80)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key.")
    shown = models.CharField(max_length=12, help_text="How it begins, to tell keys apart.")
    scopes = ArrayField(models.CharField(max_length=30), help_text="What it opens.")
    made_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("good until"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    used_on = models.DateField(_("last used"), null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("made_at")), name="api_token_ends_after_begin"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiAnswer(models.Model):
    """What a write under an ``Idempotency-Key`` was answered, so that it happens once.

    ``status`` is empty while the first request is at work.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE)
    key = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    began_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.JSONField(null=True, blank=True)
    headers = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token", "key"], name="api_answer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.token_id} {self.status}"
