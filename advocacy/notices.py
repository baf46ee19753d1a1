"""Where the sentences of one page wait for the next: Django's cookie, by another name."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookie(CookieStorage):
    """A cookie that no other host can plant, where we are reached over https (ASVS 3.3.1)."""

    @property
    def cookie_name(self) -> str:  # type: ignore[override]
        """Its name; browsers hold the prefix to its promise."""
        return "__Host-messages" if settings.SESSION_COOKIE_SECURE else "messages"


class Notices(FallbackStorage):
    """The cookie; what is too long for it waits in the session."""

    storage_classes = (HostCookie, SessionStorage)
