"""What we say about a mistake of ours: where it happened, never with which values."""

from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter


class Report(ExceptionReporter):
    """Django's report without request, variables and settings: any of them may hold a key.

    Django blanks what has a telling name; a token in ``headers`` or ``body`` has none.
    """

    def __init__(self, request: HttpRequest | None, *about: Any, **more: Any) -> None:
        del request
        super().__init__(None, *about, **more)

    def get_traceback_frames(self) -> list[dict[str, Any]]:
        """The lines of code, without their variables."""
        return [{**frame, "vars": []} for frame in super().get_traceback_frames()]

    def get_traceback_data(self) -> dict[str, Any]:
        """Everything the page and the mail show."""
        return {**super().get_traceback_data(), "settings": {}}
