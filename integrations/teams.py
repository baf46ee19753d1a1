"""Microsoft Teams: an Adaptive Card to the address of a workflow that waits for a webhook request.

No Django here. The workflow answers 202 when it took the card; whether it shows it, it does not
say. A card may be 28 kB. Facts: learn.microsoft.com, "Create incoming webhooks with Workflows".
"""

import datetime as dt
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from .networks.answers import failed
from .networks.base import Later, Result, Sent, Unknown
from .wire import NotSent, WireError, call

MOST_BYTES = 28_000
SECONDS = 10.0
_TAKEN = {HTTPStatus.OK, HTTPStatus.ACCEPTED}


def message(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card as a workflow takes it."""
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def written(card: Mapping[str, Any]) -> bytes:
    """The bytes that leave."""
    return json.dumps(message(card), ensure_ascii=False, separators=(",", ":")).encode()


def post(address: str, card: Mapping[str, Any], *, now: dt.datetime) -> Result:
    """Hand a card to a workflow. Its address is its only key."""
    headers = {"Content-Type": "application/json"}
    try:
        answer = call("POST", address, headers=headers, body=written(card), seconds=SECONDS)
    except NotSent as error:
        return Later(str(error))
    except WireError as error:
        return Unknown(str(error))
    if answer.status in _TAKEN:
        return Sent("", "")
    return failed(answer, now)
