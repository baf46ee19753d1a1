"""Who is who on the AT Protocol: handle, DID, DID document, server. Facts: networks/bluesky.md §1.

A handle may change, a DID never does. The document of a DID names the server (PDS) its account
lives on, so that server is data like any other address and goes through the wire's checks.
"""

import os
import re
import urllib.parse
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from integrations.wire import Garbled, WireError, call

from .answers import printable, reason
from .base import Identity, NotConnected

ENTRYWAY = "https://bsky.social"
NO_HANDLE = "handle.invalid"  # the protocol's own word for it
_DID = re.compile(r"did:(plc:[a-z0-9]{1,64}|web:[a-z0-9.-]{1,250}(%3A[0-9]{1,5})?)")
_HANDLE = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


_LONGEST_HANDLE = 253  # characters, by the protocol
_LONGEST = 300  # characters of a server's address


@dataclass(frozen=True, slots=True)
class Holder:
    """An account as its own document describes it."""

    did: str
    handle: str
    pds: str

    def identity(self) -> Identity:
        """What Botschaft keeps of it."""
        return Identity(
            remote_id=self.did,
            handle=f"@{self.handle}",
            display_name=self.handle,
            url=f"https://bsky.app/profile/{self.did}",
        )


def appview() -> str:
    """The public AppView: figures and handles without an account."""
    return os.environ.get("BLUESKY_APPVIEW_URL", "https://public.api.bsky.app").rstrip("/")


def resolve_handle(handle: str, base_url: str) -> str:
    """The DID of a handle, asked of a PDS or AppView. Raises WireError."""
    query = urllib.parse.urlencode({"handle": handle})
    answer = call("GET", f"{base_url}/xrpc/com.atproto.identity.resolveHandle?{query}", seconds=10)
    did = answer.json().get("did") if answer.status == HTTPStatus.OK else None
    if not isinstance(did, str):
        raise WireError(reason(answer))
    return did


def find(typed: str, base_url: str) -> Holder:
    """The holder of a handle or DID as a person types it.

    Handles are asked of the public AppView, or of ``base_url`` where the person named a server of
    their own. Raises :class:`NotConnected` or WireError.
    """
    known = typed.strip().removeprefix("@").removeprefix("at://").rstrip("/").lower()
    if _DID.fullmatch(known):
        return holder(known, base_url)
    if not _HANDLE.fullmatch(known):
        message = "this is no handle"
        raise NotConnected(message)
    try:
        did = resolve_handle(known, _resolver(base_url))
    except WireError as error:
        message = f"{known} was not found ({error})"
        raise NotConnected(message) from error
    return holder(did, base_url)


def holder(did: str, base_url: str = ENTRYWAY) -> Holder:
    """Read the document of a DID. Its handle counts only if it leads back to the DID.

    Raises :class:`NotConnected` or WireError.
    """
    document = _document(did)
    pds = server_of(document)
    if document.get("id") != did or not pds or len(pds) > _LONGEST:
        message = "the account's document names no server"
        raise NotConnected(message)
    names = document.get("alsoKnownAs")
    for name in names if isinstance(names, list) else []:
        handle = str(name).removeprefix("at://").lower()
        if (
            len(handle) <= _LONGEST_HANDLE
            and _HANDLE.fullmatch(handle)
            and _leads_to(did, handle, _resolver(base_url))
        ):
            return Holder(did, handle, pds)
    return Holder(did, NO_HANDLE, pds)


def server_of(document: dict[str, Any]) -> str | None:
    """The account's server in its DID document."""
    services = document.get("service")
    for service in services if isinstance(services, list) else []:
        if isinstance(service, dict) and str(service.get("id", "")).endswith("#atproto_pds"):
            return str(service.get("serviceEndpoint", "")).rstrip("/") or None
    return None


def _document(did: str) -> dict[str, Any]:
    if not _DID.fullmatch(did):
        message = f"{printable(did)[:80]} is no identity we know"
        raise NotConnected(message)
    if did.startswith("did:web:"):
        host = urllib.parse.unquote(did.removeprefix("did:web:"))
        scheme = "http" if host.startswith("localhost:") else "https"
        url = f"{scheme}://{host}/.well-known/did.json"
    else:
        url = f"{os.environ.get('BLUESKY_PLC_URL', 'https://plc.directory').rstrip('/')}/{did}"
    answer = call("GET", url, seconds=10)
    if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        message = "the account does not exist any more"
        raise NotConnected(message)
    if answer.status != HTTPStatus.OK:
        raise WireError(reason(answer))
    found = answer.json()
    if not isinstance(found, dict):
        message = "this is no DID document"
        raise Garbled(message)
    return found


def _resolver(base_url: str) -> str:
    return appview() if base_url in {"", ENTRYWAY} else base_url


def _leads_to(did: str, handle: str, base_url: str) -> bool:
    try:
        return resolve_handle(handle, base_url) == did
    except WireError:
        return False
