"""What the pretended Meta networks share: tokens, permissions, errors by code, containers."""

import base64
import datetime as dt
import json
import re
import time
import urllib.parse

import pytest

from integrations.networks.base import App
from integrations.wire import NotSent, call

from ..conftest import SHARED
from .server import Loopback

CODES = {401: 190, 403: 10, 429: 4, 425: 4, 408: 2}


def published(path):
    """One of the published contracts."""
    file = SHARED / "specs" / path
    if not file.exists():
        pytest.skip("../shared/specs is not beside this checkout")
    return json.loads(file.read_text())


class Meta(Loopback):
    """Subclasses name their scopes and serve their own endpoints.

    ``requests`` holds every call as (method, path without version, parameters).
    """

    scopes = []
    label = ""

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.requests = []
        self.granted = list(self.scopes)
        self.figures = {}
        self.usage = {}
        self.next_id = 17_900_000_000_000_000
        options = {f"host.{name}": self.base_url for name in ("graph", "authorize", "tokens")}
        self.app = App("cid", "app-secret", options)
        self.revoked = []
        self.fetched = 0
        self.said = []

    @property
    def features(self):
        return {"scopes": self.granted}

    def make_id(self):
        with self.lock:
            self.next_id += 1
            return str(self.next_id)

    def now(self):
        return dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "+0000")

    def problem(self, status, text, code=None, subcode=None, **more):
        code = code or CODES.get(status, 2 if status >= 500 else 100)
        error = {"message": text, "type": "OAuthException", "code": code, "fbtrace_id": "Aq1"}
        return {"error": error | ({"error_subcode": subcode} if subcode else {}) | more}

    def refuse(self, handler, code, text="no", subcode=None, status=400):
        return self.answer(handler, status, self.problem(status, text, code, subcode))

    def missing(self, handler):
        return self.refuse(handler, 100, "Unsupported get request. Object does not exist.", 33)

    def ok(self, handler, payload):
        path = re.sub(r"^/v\d+\.\d+/", "/", handler.path.split("?")[0])
        self.said.append((handler.command, path, payload))
        return self.answer(handler, 200, payload, self.usage.items())

    def account_of(self, token):
        """Whose token it is, None for nobody's."""
        return token.removeprefix("token-") if token.startswith("token-") else None

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        path = re.sub(r"^/v\d+\.\d+/", "/", parts.path)
        fields = dict(urllib.parse.parse_qsl(parts.query))
        kind = handler.headers.get("Content-Type", "")
        if kind.startswith("multipart/"):
            fields |= multipart(body, kind)
        elif body:
            fields |= dict(urllib.parse.parse_qsl(body.decode()))
        if path == "/picture.jpg":
            self.fetched += 1
            return self.answer(handler, 200, b"\xff\xd8jpeg")
        self.requests.append((handler.command, path, fields))
        if path in {"/oauth/authorize", "/dialog/oauth"}:
            query = urllib.parse.urlencode({"code": "good", "state": fields["state"]})
            target = f"{fields['redirect_uri']}?{query}#_"
            return self.answer(handler, 302, {}, [("Location", target)])
        if self.let_in(handler, path, fields):
            return None
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        account = self.account_of(token)
        if account is None:
            return self.answer(
                handler, 400, self.problem(400, "Invalid OAuth access token.", 190, 467)
            )
        return self.route(handler, at, path, fields, account)

    def let_in(self, handler, path, fields):
        """Serve the token endpoints; says whether it did."""
        return False

    def route(self, handler, at, path, fields, account):
        raise NotImplementedError

    def page(self, handler, rows, fields):
        """A list with cursors, newest first."""
        rows = list(reversed(rows))
        start = int(base64.b64decode(fields["after"]).decode()) if fields.get("after") else 0
        limit = int(fields.get("limit", 25))
        wanted = fields["fields"].split(",")
        shown = [{k: row[k] for k in wanted if k in row} for row in rows[start : start + limit]]
        cursor = base64.b64encode(str(start + limit).encode()).decode()
        paging = {"cursors": {"before": "MA", "after": cursor}}
        if start + limit < len(rows):
            paging["next"] = f"{self.base_url}/next"
        return self.ok(handler, {"data": shown, **({"paging": paging} if shown else {})})


class TwoSteps(Meta):
    """Threads and Instagram: containers with states, a quota, pictures that are really fetched."""

    text_field = ""
    state_field = ""
    why_field = ""
    edge = ""

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.containers = {}
        self.posts = {}
        self.quota_total = 250
        self.quota_usage = 0
        self.state_of_new = "FINISHED"

    @property
    def picture_url(self):
        """A picture that this server may fetch, at an address of its own."""
        return f"{self.base_url}/picture.jpg"

    def exchange(self, handler, path, fields, prefix, short):
        """The long-lived token and its refresh."""
        if path == "/access_token" and fields.get("grant_type") == f"{prefix}_exchange_token":
            if fields["client_secret"] != "app-secret" or fields["access_token"] != short:
                self.refuse(handler, 1, "Error validating client secret.")
            else:
                self.ok(
                    handler,
                    {"access_token": "token-77", "token_type": "bearer", "expires_in": 5183944},
                )
            return True
        if path == "/refresh_access_token":
            if self.account_of(fields.get("access_token", "")) is None:
                self.refuse(handler, 190, "The token has expired", 463)
            else:
                self.ok(
                    handler,
                    {"access_token": "token-77-2", "token_type": "bearer", "expires_in": 5184000},
                )
            return True
        return False

    def fetch(self, url):
        """Get a picture as Meta does; says whether it is there."""
        try:
            answer = call("GET", url, seconds=3, max_bytes=8_000_000)
        except NotSent:
            return False
        return answer.status == 200

    def contain(self, handler, fields, account):
        """Make a container and, in the background of the real one, fetch its picture."""
        if "image_url" in fields and not self.fetch(fields["image_url"]):
            return self.refuse(
                handler, 9004, "The media could not be fetched from this URI", 2207052
            )
        container = self.make_id()
        self.containers[container] = {
            **fields, "account": account, "state": self.state_of_new, "why": "",
            "made": time.monotonic(), "post": None,
        }  # fmt: skip
        return self.ok(handler, {"id": container})

    def create(self, container):
        """Publish a container, once."""
        row = self.containers[container]
        with self.lock:
            if row["state"] == "PUBLISHED":
                return None
            row["state"] = "PUBLISHED"
        post_id = self.make_id()
        row["post"] = post_id
        text = row.get(self.text_field, "")
        self.posts[post_id] = {
            "id": post_id, self.text_field: text, "timestamp": self.now(), "account": row["account"],
            "permalink": f"https://www.{self.network}.example/p/{post_id}",
            "reply_to": row.get("reply_to_id", ""),
        }  # fmt: skip
        self.quota_usage += 1
        self.note(
            "created", key=text, text=text, id=post_id, at=time.monotonic(), account=row["account"]
        )
        return post_id

    def publish(self, handler, at, fields, account):
        container = self.containers.get(fields.get("creation_id"))
        text = container.get(self.text_field, "") if container else ""
        self.note("arrived", key=text, text=text, at=at, account=account)
        time.sleep(self.latency)
        if container and self.misbehave(handler, lambda: self.create(fields["creation_id"])):
            return None
        if container is None or container["state"] in {"EXPIRED", "IN_PROGRESS", "ERROR"}:
            return self.not_ready(handler, container)
        post_id = self.create(fields["creation_id"])
        if post_id is None:
            return self.refuse(handler, 100, "The container was published already")
        return self.ok(handler, {"id": post_id})

    def not_ready(self, handler, container):
        return self.refuse(handler, 24, "The requested resource does not exist", 4279009)

    def show(self, handler, row, fields):
        wanted = fields["fields"].split(",")
        return self.ok(handler, {"id": row["id"], **{k: row[k] for k in wanted if k in row}})

    def container_state(self, handler, container, fields):
        row = self.containers[container]
        known = {self.state_field: row["state"], self.why_field: row["why"], "id": container}
        wanted = fields["fields"].split(",")
        return self.ok(handler, {k: known[k] for k in ("id", *wanted) if known.get(k)})


def multipart(body, kind):
    """Names and values of a form; a file is given by its size."""
    border = kind.partition("boundary=")[2].encode()
    found = {}
    for part in body.split(b"--" + border)[1:-1]:
        head, _blank, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]+)"', head)[1].decode()
        found[name] = str(len(value)) if b"filename=" in head else value.decode()
    return found
