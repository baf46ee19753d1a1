"""What networks allow us, kept where every worker sees it."""

from typing import ClassVar

from django.db import models

from .account import ConnectedAccount


class Bucket(models.Model):
    """Calls left until a limit begins anew: of one account, or of everybody at one host."""

    network = models.CharField(max_length=20)
    base_url = models.CharField(max_length=300)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, null=True, blank=True)
    left = models.IntegerField()
    resets_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["network", "base_url", "account"],
                nulls_distinct=False,
                name="bucket_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.base_url}: {self.left}"


class Circuit(models.Model):
    """Whether a host answers. Open: one probe a minute, everything else waits."""

    network = models.CharField(max_length=20)
    base_url = models.CharField(max_length=300)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "base_url"], name="circuit_once"),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.base_url}: {self.failures}"


class Budget(models.Model):
    """What a month of a paid network may cost and has cost, in millionths of a US dollar."""

    network = models.CharField(max_length=20)
    month = models.DateField(help_text="Its first day, UTC.")
    limit = models.PositiveBigIntegerField()
    spent = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "month"], name="budget_once"),
            models.CheckConstraint(
                condition=models.Q(spent__lte=models.F("limit")), name="budget_is_a_hard_stop"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.month}"
