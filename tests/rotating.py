"""A network whose refresh tokens serve once: presenting one again ends the whole family."""

import datetime as dt
import json
import time
import urllib.parse
import uuid

from integrations.networks.abilities import Abilities
from integrations.networks.base import Network, Refused, Renewed
from integrations.wire import NotSent, WireError, call

from .networks.server import Loopback


class Rotating(Network):
    """As X and Bluesky's OAuth are: rotation without grace."""

    patience = 2.0  # seconds
    abilities = Abilities(
        name="rotating", label="Rotating", limit=300, unit="grapheme", url_length=None
    )

    def refresh(self, access, now):
        body = urllib.parse.urlencode({"refresh_token": access.secrets["refresh_token"]})
        answer = call("POST", f"{access.base_url}/token", body=body.encode(), seconds=self.patience)
        if answer.status == 429:
            raise NotSent("busy")
        if answer.status >= 500:
            raise WireError(f"HTTP {answer.status}")
        found = answer.json()
        if answer.status != 200:
            return Refused(f"{answer.status} {found['error']}", permanent=False)
        return Renewed(
            {"access_token": found["access_token"], "refresh_token": found["refresh_token"]},
            now + dt.timedelta(seconds=found["expires_in"]),
            now + dt.timedelta(days=90),
        )


class Graceful(Rotating):
    """The same, but says that a token may be presented again."""

    def refreshes_again(self, access):
        return True


class AuthServer(Loopback):
    """Families of tokens; counts rotations, refusals and replays."""

    network = "rotating"

    def __init__(self, latency=0.0, expires_in=7200.0):
        super().__init__(latency)
        self.expires_in = expires_in
        self.current = {}  # refresh token: family
        self.spent = {}
        self.revoked = set()
        self.access_tokens = set()

    def family(self):
        """Somebody says yes: a first pair of a new family."""
        return self._issue(uuid.uuid4().hex)

    def _issue(self, family):
        pair = {"access_token": f"at-{uuid.uuid4()}", "refresh_token": f"rt-{uuid.uuid4()}"}
        with self.lock:
            self.current[pair["refresh_token"]] = family
            self.access_tokens.add(pair["access_token"])
        return pair

    def secrets(self, number):
        return self.family()

    def serve(self, handler, at, body):
        token = urllib.parse.parse_qs(body.decode()).get("refresh_token", [""])[0]
        self.note("presented", token=token)
        time.sleep(self.latency)
        issued = []

        def rotate():
            with self.lock:
                family = self.current.pop(token, None)
                if family is None and (family := self.spent.get(token)):
                    self.revoked.add(family)
                    self.ledger.append({"kind": "replayed", "token": token})
                    return
                if family is None or family in self.revoked:
                    return
                self.spent[token] = family
            issued.append(self._issue(family))
            self.note("rotated", token=token)

        if self.misbehave(handler, rotate):
            return None
        rotate()
        if not issued:
            return self.answer(handler, 400, {"error": "invalid_grant"})
        return self.answer(handler, 200, {**issued[0], "expires_in": self.expires_in})

    def problem(self, status, text):
        return json.loads(json.dumps({"error": text}))
