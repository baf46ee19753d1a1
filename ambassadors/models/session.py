"""Logins that are still good: the browser's session, and whose it is."""

from typing import ClassVar

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models

from .person import Person


class LoginSession(AbstractBaseSession):
    """A session of a browser. Nobody's until somebody logs in.

    What stands beside the sealed key is for its person: neither address nor version of a browser.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True)
    device = models.CharField(max_length=40, blank=True, help_text="Browser and system, by name.")
    began_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True, help_text="To the hour.")

    objects: ClassVar = BaseSessionManager["LoginSession"]()

    class Meta:
        ordering: ClassVar = ["-began_at"]

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        """Where Django keeps sessions."""
        from ambassadors.login_sessions import SessionStore  # noqa: PLC0415 - it needs this model

        return SessionStore
