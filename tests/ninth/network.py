"""Depesche: a network of the imagination, with no key for repeats, so it is looked for."""

import json
import urllib.parse
from http import HTTPStatus

from integrations.networks.abilities import Abilities
from integrations.networks.answers import failed, proof
from integrations.networks.base import (
    Absent,
    CannotTell,
    Departure,
    Figures,
    Grant,
    Identity,
    Network,
    NotConnected,
    Sent,
    Unknown,
)
from integrations.wire import NotSent, PerhapsSent, WireError, call


class Depesche(Network):
    abilities = Abilities(
        name="depesche",
        monogram="D",
        label="Depesche",
        limit=160,
        unit="character",
        url_length=None,
        can_publish=True,
        can_look=True,
        can_measure=True,
        can_remove=True,
        counts=("likes", "reposts", "replies"),
        quiet=5.0,
        connect="oauth",
        for_whom=("person", "company"),
        app_needed=True,
        hosts=("depesche.example",),
        pitch="You say yes at the telegraph office.",
    )

    def length(self, text):
        return len(text)

    def publish(self, post, access, window):
        try:
            answer = self._ask("POST", "/posts", access, {"text": post.text}, window)
            if answer.status == HTTPStatus.CREATED:
                return self._sent(answer.json())
        except NotSent:
            raise
        except PerhapsSent as error:
            return Unknown(str(error))
        return failed(answer, window.now)

    def look(self, post, access, since):
        answer = self._ask("GET", "/posts", access)
        if answer.status != HTTPStatus.OK:
            return CannotTell(f"HTTP {answer.status}")
        found = [row for row in answer.json() if row["text"] == post.text]
        return self._sent(found[0]) if found else Absent()

    def measure(self, remote_ids, access):
        answer = self._ask("GET", "/figures", access)
        if answer.status != HTTPStatus.OK:
            raise WireError(f"HTTP {answer.status}")
        return {i: Figures(*row) for i, row in answer.json().items() if i in remote_ids}

    def remove(self, remote_id, access):
        answer = self._ask("DELETE", f"/posts/{remote_id}", access)
        gone = answer.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}
        return Sent(remote_id, "") if gone else failed(answer, None)

    def depart(self, trip):
        query = {
            "client_id": trip.app.client_id,
            "redirect_uri": trip.redirect_uri,
            "state": trip.state,
        }
        return Departure(f"{trip.app.host('api', '')}/yes?{urllib.parse.urlencode(query)}")

    def arrive(self, trip, answer, now):
        if not answer.get("code"):
            raise NotConnected(answer.get("error", "no code"))
        home = trip.app.host("api", "")
        identity = Identity("1", "@jona", "Jona", "https://depesche.example/jona")
        return [Grant(identity, home, {"access_token": answer["code"]}, None, None)]

    def _ask(self, method, path, access, body=None, window=None):
        return call(
            method,
            access.base_url + path,
            headers={"Authorization": f"Bearer {access.secrets['access_token']}"},
            body=json.dumps(body).encode() if body else None,
            seconds=window.seconds if window else 10,
            https_only=False,
            **({"may_start": window.may_start} if window else {}),
        )

    def _sent(self, row):
        row = row if isinstance(row, dict) else {}
        return proof(row.get("id"), row.get("url"))
