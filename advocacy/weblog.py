"""Settings of gunicorn: ``gunicorn --config python:advocacy.weblog``. Its logs name nobody.

gunicorn writes no line for each request unless told to; where somebody tells it, the line has
neither address nor browser. What it says of a request that it could not read has no address.
"""

import re
from typing import Any

from gunicorn.glogging import Logger

_ADDRESS = re.compile(r" from ip=\S*:(?= )")


class Nameless(Logger):  # type: ignore[misc]
    """gunicorn's log without addresses."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Warn without the address of the sender."""
        super().warning(_ADDRESS.sub(":", msg), *args, **kwargs)


logger_class = Nameless
# Moment, method, path without query, status, bytes, milliseconds.
access_log_format = '%(t)s "%(m)s %(U)s" %(s)s %(B)s %(M)s'
