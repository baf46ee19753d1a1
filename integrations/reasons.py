"""Why nothing could be read, as a sentence in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

SENTENCES = {
    "refused": gettext_noop("This address is not on the public internet, so we do not read it."),
    "silent": gettext_noop("The server does not answer."),
    "broken": gettext_noop("The server broke off, was too slow or sent too much."),
    "moved": gettext_noop("The address leads on and on, to nowhere we can read."),
    "status": gettext_noop("The server says %(detail)s."),
    "dtd": gettext_noop("The file has a DTD. We read none, because they can hide traps."),
    "not_a_feed": gettext_noop("This is not a feed, a list of jobs, a sitemap or a list of pages."),
    "malformed": gettext_noop("The file is broken in line %(detail)s, so we cannot read it."),
    "too_deep": gettext_noop("The file is nested too deeply to be a feed."),
    "sitemap_index": gettext_noop("This sitemap only names others. Add one of them: %(detail)s"),
    "robots": gettext_noop("The site’s robots.txt asks us to stay away from this page."),
    "nothing_said": gettext_noop("The page says nothing about itself."),
    "gone": gettext_noop("The server says that this feed has ended."),
}


def sentence(why: str, detail: str = "") -> str:
    """The sentence for a reason; an unknown one is said plainly."""
    return _(SENTENCES.get(why, SENTENCES["broken"])) % {"detail": detail}
