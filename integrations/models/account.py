"""Connected accounts and their sealed tokens."""

from typing import ClassVar

from django.db import models

from ambassadors.models import Person


class AccountQuerySet(models.QuerySet["ConnectedAccount"]):
    """Plain names for questions about accounts."""

    def of(self, person: Person) -> "AccountQuerySet":
        """The person's own, still connected."""
        return self.filter(person=person, disconnected_at__isnull=True)

    def company(self) -> "AccountQuerySet":
        """The company's own channels, still connected."""
        return self.filter(person__isnull=True, disconnected_at__isnull=True)

    def usable_by(self, person: Person) -> "AccountQuerySet":
        """Their own accounts, and the channels they were made an editor of."""
        return self.filter(
            models.Q(person=person) | models.Q(person__isnull=True, editors=person),
            disconnected_at__isnull=True,
        ).distinct()


class ConnectedAccount(models.Model):
    """A person's account on a network. Without a person it is the company's own channel.

    Editors may write for a channel; what they write leaves after somebody else approved it.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True)
    added_by = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    editors = models.ManyToManyField(Person, blank=True, related_name="channels")
    network = models.CharField(max_length=20)
    base_url = models.CharField(max_length=300)
    remote_id = models.CharField(max_length=300)
    handle = models.CharField(max_length=300)
    display_name = models.CharField(max_length=300, blank=True)
    profile_url = models.CharField(max_length=600, blank=True)
    features = models.JSONField(default=dict, help_text="What the server said it can do.")
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True, blank=True)
    reconnect_reason = models.CharField(max_length=200, blank=True)
    reconnect_by = models.DateTimeField(
        null=True, blank=True, help_text="When the person must say yes again, whatever we do."
    )
    warned_at = models.DateTimeField(null=True, blank=True)
    last_served_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["network", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["network", "base_url", "remote_id"],
                condition=models.Q(disconnected_at__isnull=True),
                name="account_connected_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.handle}"


class Token(models.Model):
    """The account's secrets, sealed. Open them with :mod:`integrations.tokens` only."""

    account = models.OneToOneField(ConnectedAccount, on_delete=models.CASCADE)
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token of account {self.account_id}"


class Revocation(models.Model):
    """A key that is no longer ours to use, on its way back to its network.

    Sealed as the token was. The row goes when the network has taken the key back, or when it has
    not answered for a day.
    """

    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE)
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=16)
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"key of account {self.account_id}"


class ServerApp(models.Model):
    """Our registration as a client at one server (Mastodon registers per instance)."""

    network = models.CharField(max_length=20)
    base_url = models.CharField(max_length=300)
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=16)
    registered_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "base_url"], name="server_app_once"),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.base_url}"


class ConnectAttempt(models.Model):
    """One OAuth round trip: bound to session, person, network and server, used once, 10 minutes.

    ``sealed`` holds what we must remember until the person comes back, and afterwards the grants
    they choose from when their yes opened several accounts; empty when it is over.
    """

    state_hash = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64, blank=True)
    server = models.SlugField(max_length=60, blank=True)
    company = models.BooleanField(default=False)
    renews = models.ForeignKey(
        ConnectedAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    network = models.CharField(max_length=20)
    base_url = models.CharField(max_length=300)
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=16)
    began_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.network} {self.began_at}"
