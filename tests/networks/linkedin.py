"""A pretended LinkedIn: Posts API, uploads, equal texts refused, quotas, analytics, OAuth.

Rules and shapes as in ../shared/networks/linkedin.md and the responses collected in its specs.
``posts_per_day`` is the real quota of a member: raise it for a load test. ``ghosts`` says
whether a deleted post still counts as the same text, as the real one does for a day or two.
``falsely_revoked`` answers so many reads of a fresh token with 65601. ``granted`` are the scopes
a yes opens. A member's posts can be read back only with ``r_member_social``.
"""

import json
import re
import time
import urllib.parse
import uuid

from integrations.networks.base import App
from integrations.networks.linkedin_text import unescape

from .server import Loopback

SELF_SERVE = ("openid", "profile", "email", "w_member_social")
EVERYTHING = (
    *SELF_SERVE, "r_basicprofile", "r_member_social", "r_member_postAnalytics", "r_organization_social",
    "w_organization_social", "rw_organization_admin",
)  # fmt: skip
_KNOWN = {
    "": {
        "author", "commentary", "visibility", "distribution", "lifecycleState",
        "isReshareDisabledByAuthor", "content", "reshareContext",
    },
    "distribution": {"feedDistribution", "targetEntities", "thirdPartyDistributionChannels"},
    "content": {"media", "multiImage", "article", "poll"},
    "content.media": {"id", "altText", "title"},
    "content.multiImage": {"images"},
    "content.multiImage.images": {"id", "altText"},
    "content.article": {"source", "title", "description", "thumbnail"},
}  # fmt: skip
_METRICS = {"REACTION": 0, "RESHARE": 1, "COMMENT": 2}


def unknown_fields(body, where=""):
    """The fields of a post that the documents do not know."""
    wrong = [f"{where}.{name}" for name in body if name not in _KNOWN[where]]
    for name, value in body.items():
        inner = f"{where}.{name}" if where else name
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and inner in _KNOWN:
                wrong += unknown_fields(part, inner)
    return wrong


class LinkedIn(Loopback):
    network = "linkedin"
    features = {"scopes": list(EVERYTHING), "can_look": True, "can_measure": True}

    def __init__(self, latency=0.0):
        super().__init__(latency)
        self.posts = {}
        self.texts = {}
        self.figures = {}
        self.tokens = {}
        self.refreshers = {}
        self.codes = {}
        self.media = {}
        self.requests = []
        self.answers = []
        self.used = {}
        self.posts_per_day = 150
        self.sunset = {"202510", "202511"}
        self.ghosts = True
        self.falsely_revoked = 0
        self.granted = EVERYTHING
        self.refreshable = False
        self.old_metric_type = False
        self.pages = {"urn:li:organization:5": ("Nordwind Energie", "ADMINISTRATOR")}
        self.next_id = 7_141_138_937_766_391_000
        self.app = App(
            "cid", "sec",
            {"host.api": self.base_url, "host.www": self.base_url, "community": "1", "member_social": "1"},
        )  # fmt: skip

    def remote_id(self, number):
        known = str(number)
        return known if known.startswith("urn:") else f"urn:li:person:{known}"

    def environment(self):
        options = ",".join(f"{key}={value}" for key, value in self.app.options.items())
        return {
            **super().environment(),
            "LINKEDIN_CLIENT_ID": "cid",
            "LINKEDIN_CLIENT_SECRET": "sec",
            "LINKEDIN_OPTIONS": options,
        }

    def secrets(self, number):
        return {"access_token": self.token(self.remote_id(number))}

    def token(self, account, scopes=EVERYTHING, seconds=5_184_000):
        value = f"li-access-{uuid.uuid4().hex}"
        self.tokens[value] = (account, scopes, time.time() + seconds)
        return value

    def problem(self, status, text, code="ERROR", number=100):
        return {"message": text, "serviceErrorCode": number, "status": status, "code": code}

    def answer(self, handler, status, payload, headers=()):
        self.answers.append(
            (handler.command, urllib.parse.urlsplit(handler.path).path, status, payload)
        )
        super().answer(handler, status, payload, headers)

    def nothing(self, handler, status, headers=()):
        self.answers.append((handler.command, urllib.parse.urlsplit(handler.path).path, status, ""))
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()

    def serve(self, handler, at, body):
        parts = urllib.parse.urlsplit(handler.path)
        path, query = parts.path, dict(urllib.parse.parse_qsl(parts.query))
        if path == "/oauth/v2/authorization":
            return self.authorize(handler, query)
        if path.startswith("/oauth/v2/"):
            return self.oauth(handler, path, dict(urllib.parse.parse_qsl(body.decode())))
        known = self.tokens.get(handler.headers.get("Authorization", "").removeprefix("Bearer "))
        if known is None:
            return self.answer(handler, 401, {"serviceErrorCode": 65600, "message": "Invalid access token", "status": 401})  # fmt: skip
        account, scopes, ends = known
        if ends < time.time():
            return self.answer(handler, 401, self.problem(401, "The token used in the request has expired", "EXPIRED_ACCESS_TOKEN", 65602))  # fmt: skip
        if path.startswith("/dms-uploads/"):
            self.media[urllib.parse.unquote(path.removeprefix("/dms-uploads/"))] = body
            return self.nothing(handler, 201)
        if path.startswith("/v2/"):
            return self.identity(handler, path, account)
        version = handler.headers.get("Linkedin-Version")
        if not version or handler.headers.get("X-Restli-Protocol-Version") != "2.0.0":
            return self.answer(handler, 400, self.problem(400, "A version must be present", "VERSION_MISSING"))  # fmt: skip
        if version in self.sunset:
            return self.answer(
                handler, 426,
                {"status": 426, "code": "NONEXISTENT_VERSION", "message": f"Requested version {version} is not active"},
            )  # fmt: skip
        return self.rest(handler, at, body, path.removeprefix("/rest/"), query, account, scopes)

    def rest(self, handler, at, body, path, query, account, scopes):
        if path in {"images", "documents"}:
            return self.begin_upload(handler, path, json.loads(body))
        if path == "posts" and handler.command == "POST":
            return self.post(handler, at, json.loads(body), account, scopes)
        if path == "posts":
            return self.authored(handler, query, scopes)
        if path.startswith("posts/"):
            return self.change(handler, urllib.parse.unquote(path.removeprefix("posts/")), body)
        if path == "memberCreatorPostAnalytics":
            return self.analytics(handler, query, scopes)
        if path == "organizationalEntityShareStatistics":
            return self.statistics(handler, query)
        if path == "organizationAcls":
            rows = [
                {"organization": urn, "role": role, "roleAssignee": account, "state": "APPROVED"}
                for urn, (_name, role) in self.pages.items()
            ]
            return self.answer(handler, 200, elements(rows))
        if match := re.fullmatch(r"organizations/(\d+)", path):
            name, _role = self.pages[f"urn:li:organization:{match[1]}"]
            return self.answer(handler, 200, {"id": int(match[1]), "localizedName": name, "vanityName": "nordwind"})  # fmt: skip
        return self.answer(handler, 404, self.problem(404, "No resource", "NOT_FOUND"))

    # posts

    def may(self, author, account, scopes):
        if author.startswith("urn:li:organization:"):
            return "w_organization_social" in scopes
        return author == account and "w_member_social" in scopes

    def post(self, handler, at, sent, account, scopes):
        author, text = sent["author"], unescape(sent["commentary"])
        self.note("arrived", key=text, text=text, at=at, account=author)
        self.requests.append(sent)
        time.sleep(self.latency)
        if self.misbehave(handler, lambda: self.create(author, sent)):
            return None
        if not self.may(author, account, scopes):
            return self.answer(handler, 403, self.problem(403, "Not enough permissions to access: partnerApiPostsExternal.CREATE.20260901", "ACCESS_DENIED"))  # fmt: skip
        if self.spend(author):
            return self.answer(
                handler, 429,
                {"serviceErrorCode": 101, "message": "Resource level throttle limit for calls to this resource is reached.", "status": 429},
            )  # fmt: skip
        if wrong := self.wrong(sent):
            return self.answer(handler, 400, self.problem(400, *wrong))
        urn, new = self.create(author, sent)
        if not new:
            return self.answer(handler, 422, duplicate(urn))
        return self.nothing(handler, 201, [("x-restli-id", urn)])

    def wrong(self, sent):
        if unknown := unknown_fields(sent):
            return f"unknown: {unknown}", "INVALID_FIELD"
        if len(sent["commentary"].encode("utf-16-le")) // 2 > 3000:
            return "commentary is too long", "FIELD_LENGTH_TOO_LONG"
        for urn in media_of(sent):
            if self.media.get(urn) is None:
                return "MEDIA_ASSET_WAITING_UPLOAD", "MEDIA_ASSET_WAITING_UPLOAD"
        if "multiImage" in sent.get("content", {}):
            count = len(sent["content"]["multiImage"]["images"])
            if not 2 <= count <= 20:
                return f"{count} images", "INVALID_VALUE_FOR_FIELD"
        return None

    def create(self, author, sent):
        """Make the post; the URN it has, and whether it is new."""
        text = unescape(sent["commentary"])
        wanted = (author, text, json.dumps(sent.get("content"), sort_keys=True))
        with self.lock:
            standing = self.texts.get(wanted)
            if standing and (self.ghosts or standing in self.posts):
                return standing, False
            self.next_id += 1
            urn = f"urn:li:share:{self.next_id}"
            self.texts[wanted] = urn
            self.posts[urn] = {"author": author, "sent": sent, "at": time.time()}
        self.note("created", key=text, text=text, id=urn, at=time.monotonic(), account=author)
        return urn, True

    def spend(self, author):
        with self.lock:
            key = (author, int(time.time()) // 86_400)
            self.used[key] = self.used.get(key, 0) + 1
            return self.used[key] > self.posts_per_day

    def authored(self, handler, query, scopes):
        needed = (
            "r_organization_social" if ":organization:" in query["author"] else "r_member_social"
        )
        if needed not in scopes or handler.headers.get("X-RestLi-Method") != "FINDER":
            return self.answer(handler, 403, self.problem(403, "Not enough permissions to access: posts.FINDER-author", "ACCESS_DENIED"))  # fmt: skip
        start, size = int(query.get("start", 0)), int(query["count"])
        rows = [
            {
                "id": urn, "author": row["author"], "commentary": row["sent"]["commentary"], "visibility": row["sent"]["visibility"],
                "createdAt": int(row["at"] * 1000), "publishedAt": int(row["at"] * 1000), "lifecycleState": "PUBLISHED",
            } for urn, row in reversed(list(self.posts.items())) if row["author"] == query["author"]
        ]  # fmt: skip
        return self.answer(handler, 200, elements(rows[start : start + size]))

    def change(self, handler, urn, body):
        if handler.command == "DELETE":
            self.posts.pop(urn, None)
            return self.nothing(handler, 204)
        if urn not in self.posts:
            return self.answer(handler, 404, self.problem(404, "Not found", "NOT_FOUND"))
        if handler.headers.get("X-RestLi-Method") != "PARTIAL_UPDATE":
            return self.answer(handler, 400, self.problem(400, "method", "INVALID_METHOD"))
        self.posts[urn]["sent"] |= json.loads(body)["patch"]["$set"]
        return self.nothing(handler, 204)

    def begin_upload(self, handler, kind, sent):
        owner = sent["initializeUploadRequest"]["owner"]
        urn = f"urn:li:{kind[:-1]}:C4E{len(self.media)}"
        self.media[urn] = None
        self.requests.append((kind, owner))
        value = {
            "uploadUrl": f"{self.base_url}/dms-uploads/{urllib.parse.quote(urn, safe='')}",
            "uploadUrlExpiresAt": int(time.time() * 1000) + 3_600_000, kind[:-1]: urn,
        }  # fmt: skip
        return self.answer(handler, 200, {"value": value})

    # figures

    def analytics(self, handler, query, scopes):
        if "r_member_postAnalytics" not in scopes:
            return self.answer(handler, 403, self.problem(403, "Not enough permissions", "ACCESS_DENIED"))  # fmt: skip
        kind, urn = re.fullmatch(r"\((share|ugc):(.+)\)", query["entity"]).groups()
        if urn not in self.posts:
            return self.answer(handler, 404, self.problem(404, "Not found", "NOT_FOUND"))
        metric = query["queryType"]
        if metric == "IMPRESSION":
            rows = []  # not available, which is not zero
        else:
            name = metric
            if self.old_metric_type:
                name = {"com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1": metric}  # fmt: skip
            count = self.figures.get(urn, (0, 0, 0))[_METRICS[metric]]
            rows = [{"count": count, "metricType": name, "targetEntity": {kind: urn}}]
        return self.answer(handler, 200, elements(rows))

    def statistics(self, handler, query):
        rows = []
        for name, kind in (("shares", "share"), ("ugcPosts", "ugcPost")):
            for urn in filter(None, query.get(name, "").removeprefix("List(").removesuffix(")").split(",")):  # fmt: skip
                if urn in self.figures:
                    likes, reposts, replies = self.figures[urn]
                    counts = {"likeCount": likes, "shareCount": reposts, "commentCount": replies, "impressionCount": 90}  # fmt: skip
                    rows.append({kind: urn, "totalShareStatistics": counts})
        return self.answer(handler, 200, elements(rows))

    # OAuth

    def identity(self, handler, path, account):
        if self.falsely_revoked:
            self.falsely_revoked -= 1
            return self.answer(handler, 401, self.problem(401, "The token used in the request has been revoked by the user", "REVOKED_ACCESS_TOKEN", 65601))  # fmt: skip
        number = account.rsplit(":", 1)[-1]
        if path == "/v2/userinfo":
            return self.answer(handler, 200, {"sub": number, "name": "Jona Harms", "email": "jona@example.org"})  # fmt: skip
        return self.answer(handler, 200, {"id": number, "localizedFirstName": "Jona", "localizedLastName": "Harms", "vanityName": "jona"})  # fmt: skip

    def authorize(self, handler, query):
        if query.get("response_type") != "code" or query.get("client_id") != "cid":
            return self.answer(handler, 400, {"error": "invalid_request"})
        code = uuid.uuid4().hex
        self.codes[code] = (query["redirect_uri"], query["scope"], time.time())
        back = urllib.parse.urlencode({"code": code, "state": query["state"]})
        return self.answer(handler, 302, {}, [("Location", f"{query['redirect_uri']}?{back}")])

    def oauth(self, handler, path, form):
        if (form.get("client_id"), form.get("client_secret")) != ("cid", "sec"):
            return self.answer(handler, 401, {"error": "invalid_client", "error_description": "Client authentication failed"})  # fmt: skip
        if path == "/oauth/v2/revoke":
            self.tokens.pop(form["token"], None)
            return self.nothing(handler, 200)
        if form["grant_type"] == "refresh_token":
            known = self.refreshers.get(form["refresh_token"])
            if known is None:
                return self.answer(handler, 400, {"error": "invalid_request", "error_description": "The provided authorization grant or refresh token is invalid, expired or revoked."})  # fmt: skip
            return self.grant(handler, known, form["refresh_token"])
        redirect, scope, at = self.codes.pop(form["code"], ("", "", 0))
        if redirect != form["redirect_uri"] or time.time() - at > 1800:
            return self.answer(handler, 400, {"error": "invalid_request", "error_description": "Unable to retrieve access token: appid/redirect_uri/code verifier does not match authorization code. Or authorization code expired."})  # fmt: skip
        scopes = [name for name in scope.split() if name in self.granted]
        return self.grant(handler, scopes, f"li-refresh-{uuid.uuid4().hex}")

    def grant(self, handler, scopes, refresh):
        found = {
            "access_token": self.token("urn:li:person:77", tuple(scopes)),
            "expires_in": 5_184_000, "scope": ",".join(scopes),
        }  # fmt: skip
        if self.refreshable:
            self.refreshers[refresh] = scopes
            found |= {"refresh_token": refresh, "refresh_token_expires_in": 525_600}
        return self.answer(handler, 200, found)


def duplicate(urn):
    return {
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "message": f"com.linkedin.content.common.exception.BadRequestResponseException: Content is a duplicate of {urn}",
        "errorDetails": {
            "inputErrors": [{"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}]
        },
        "status": 422,
    }  # fmt: skip


def elements(rows):
    return {"elements": rows, "paging": {"count": 10, "start": 0, "links": []}}


def media_of(sent):
    content = sent.get("content", {})
    found = [content.get("media", {}).get("id"), content.get("article", {}).get("thumbnail")]
    found += [image["id"] for image in content.get("multiImage", {}).get("images", [])]
    return [urn for urn in found if urn]


Pretended = LinkedIn
