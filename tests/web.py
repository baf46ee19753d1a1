"""A pretended website: pages by path, with what they were asked."""

import time

from .networks.server import Loopback

RSS = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'


def item(number, title="", *, guid="", link="", summary="", at="", category=""):
    """One entry of a feed, as text."""
    return (
        f"<item><guid>{guid or number}</guid><link>{link or f'https://news.example/{number}'}</link>"
        f"<title>{title or f'Entry {number}'}</title><description>{summary}</description>"
        f"<pubDate>{at}</pubDate><category>{category}</category></item>"
    )


def rss(*items, title="Hafenblatt"):
    """A feed, as bytes."""
    return RSS.format(title=title, items="".join(items)).encode()


class Web(Loopback):
    """``put`` says what a path answers; ``asked`` holds paths with the headers sent."""

    def __init__(self):
        super().__init__()
        self.pages = {}
        self.asked = []

    def put(self, path, body=b"", status=200, kind="application/rss+xml", hang=0.0, **headers):
        self.pages[path] = (status, kind, body, headers, hang)
        return self.base_url + path

    def serve(self, handler, at, body):
        self.asked.append((handler.path, {k.lower(): v for k, v in handler.headers.items()}))
        status, kind, content, headers, hang = self.pages.get(
            handler.path, (404, "text/plain", b"no", {}, 0.0)
        )
        time.sleep(hang)
        mark = headers.get("etag")
        if mark and handler.headers.get("If-None-Match") == mark:
            status, content = 304, b""
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    def paths(self):
        return [path for path, _ in self.asked]
