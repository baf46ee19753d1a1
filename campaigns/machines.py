"""Whether a request was made by a person who wanted the page, as far as its headers tell.

Unfurlers, mail scanners, crawlers and browsers that fetch ahead are no clicks. A scanner that says
it is a browser cannot be told from one by its headers: click counts stay estimates.
"""

from functools import cache
from pathlib import Path

from django.http import HttpRequest

# How browsers people use begin, those without pictures too.
BROWSERS = (
    "Mozilla/",
    "Opera/",
    "Lynx/",
    "w3m/",
    "Links (",
    "ELinks/",
    "Dillo/",
    "NetSurf/",
    "UCWEB/",
)
# The longest User-Agent looked at; in-app browsers reach some 500 characters.
LONGEST = 1000
# Headers by which browsers say that nobody has asked for the page yet, with their words for it:
# Sec-Purpose https://fetch.spec.whatwg.org/#sec-purpose-header, the others are older.
_AHEAD = {
    "HTTP_SEC_PURPOSE": ("prefetch", "prerender"),
    "HTTP_PURPOSE": ("prefetch", "prerender", "preview"),
    "HTTP_X_PURPOSE": ("prefetch", "prerender", "preview"),
    "HTTP_X_MOZ": ("prefetch",),
}


@cache
def words() -> tuple[str, ...]:
    """What no person's browser calls itself, from the list beside this file."""
    lines = Path(__file__).with_name("machines.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def is_machine(request: HttpRequest) -> bool:
    """Tell whether this is no person's visit."""
    said = request.META
    return (
        request.method != "GET"
        or any(
            word in said[name].lower() for name in _AHEAD if name in said for word in _AHEAD[name]
        )
        # a browser that tells says that it opens a page: neither a picture nor a script's request
        or said.get("HTTP_SEC_FETCH_DEST", "document") != "document"
        or names_machine(said.get("HTTP_USER_AGENT", ""))
    )


def names_machine(agent: str) -> bool:
    """Tell whether a User-Agent is no person's browser: none, too long, or known."""
    if len(agent) > LONGEST or not agent.startswith(BROWSERS):
        return True
    # a maker of telephones is called as all crawlers are
    said = agent.lower().replace("cubot", "")
    if "compatible;" in said and "msie" not in said:  # as crawlers write it; browsers no more
        return True
    return any(word in said for word in words())
