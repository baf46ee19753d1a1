"""Which hosts an outgoing call may reach. Own table: Python's ``is_global`` errs by version.

Python 3.11.7 calls 192.0.0.192 (a cloud's metadata service) and 64:ff9b::7f00:1 global.
"""

import ipaddress
import os
import re
import urllib.parse
from dataclasses import dataclass

from ambassadors import tidying

_NOT_PUBLIC_V4 = [
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
    )
]  # fmt: skip
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC_V6 = [
    ipaddress.ip_network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+", re.ASCII)
_NUMERIC = re.compile(r"\d+(\.\d+)*|0x.*|.*\.(0x[0-9a-f]*|\d+)", re.ASCII)
_INSIDE = (
    ".internal", ".local", ".localhost", ".localdomain", ".onion", ".svc", ".home.arpa",
)  # fmt: skip
_LONGEST_URL = 8000  # a hundred ids in one call need 2,100; servers take about 8,190


class AddressRefused(ValueError):
    """The address is malformed or not public; the message names the reason."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed address. ``literal`` is the IP when the host is one."""

    scheme: str
    host: str
    port: int
    path: str
    literal: str | None

    @property
    def authority(self) -> str:
        """Host and, where not the scheme's own, port, as in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        return ip in _PUBLIC_V6 and not any(ip in net for net in _NOT_PUBLIC_V6)
    return not any(ip in net for net in _NOT_PUBLIC_V4)


def allowed_private(host: str, port: int) -> bool:
    """Tell whether LOOPBACK_HOSTS names this private ``host:port``."""
    allowed = os.environ.get("LOOPBACK_HOSTS", "").split(",")
    return f"{host}:{port}" in (entry.strip() for entry in allowed)


def expected(host: str) -> bool:
    """Tell whether OUTGOING_HOSTS names a host: itself, all below ``.a.example``, or ``*`` any."""
    named = [entry.strip() for entry in os.environ.get("OUTGOING_HOSTS", "*").split(",")]
    return any(
        entry in {"*", host} or (entry[:1] == "." and host.endswith(entry)) for entry in named
    )


def parse(url: str, *, https_only: bool = True) -> Target:
    """Take an address apart by a strict grammar. Raises :class:`AddressRefused`."""
    if len(url) > _LONGEST_URL or re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefused("characters")
    match = re.fullmatch(r"(https?)://([^/?#]*)([/?#].*)?", url, re.IGNORECASE | re.DOTALL)
    if not match:
        raise AddressRefused("scheme")
    scheme, authority, rest = match[1].lower(), match[2], match[3] or "/"
    if "@" in authority or "%" in authority:
        raise AddressRefused("userinfo")
    host, port_text, literal = _host(authority)
    if port_text and not re.fullmatch(r"[0-9]{1,5}", port_text):
        raise AddressRefused("port")
    port = int(port_text) if port_text else (443 if scheme == "https" else 80)
    path = _escaped(rest.split("#", 1)[0])
    target = Target(scheme, host, port, path if path.startswith("/") else f"/{path}", literal)
    if allowed_private(host, port):
        return target
    if port not in {80, 443}:
        raise AddressRefused("port")
    if https_only and scheme != "https":
        raise AddressRefused("https")
    if host == "localhost" or host.endswith(_INSIDE):
        raise AddressRefused("name")
    return target


def _escaped(path: str) -> str:
    """Percent-encode what is not ASCII, and nothing else: the rest is the sender's own."""
    try:
        return "".join(char if char.isascii() else urllib.parse.quote(char) for char in path)
    except UnicodeError as error:  # half a surrogate pair
        raise AddressRefused("characters") from error


def _host(authority: str) -> tuple[str, str | None, str | None]:
    """Split host and port; returns the IP too when the host is one, in its strict form only."""
    bracket = re.fullmatch(r"\[([0-9a-f:.]+)\](?::(.*))?", authority, re.IGNORECASE)
    if bracket:
        try:
            literal = str(ipaddress.IPv6Address(bracket[1]))
        except ValueError as error:
            raise AddressRefused("address") from error
        return literal, bracket[2], literal
    name, _, port = authority.partition(":")
    host = _ascii(name).lower().rstrip(".")
    if _NUMERIC.fullmatch(host) or (
        re.fullmatch(r"[0-9a-fx.]+", host) and not _HOST.fullmatch(host)
    ):
        try:
            literal = str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise AddressRefused("numeric") from error
        return host, port, literal
    if host != "localhost" and (len(host) > 253 or not _HOST.fullmatch(host)):
        raise AddressRefused("host")
    return host, port, None


def _ascii(name: str) -> str:
    if name.isascii():
        return name
    if tidying.normal("NFKC", name).lower() != name.lower():
        raise AddressRefused("compatibility characters")
    try:
        return ".".join(part.encode("idna").decode() if part else part for part in name.split("."))
    except UnicodeError as error:
        raise AddressRefused("idna") from error


def check(target: Target, addresses: list[str]) -> str:
    """Choose the address to connect to: every one must be public. Raises AddressRefused."""
    if not addresses:
        raise AddressRefused("unknown host")
    if allowed_private(target.host, target.port):
        return addresses[0]
    if not all(is_public(address) for address in addresses):
        raise AddressRefused("address")
    if not expected(target.host):
        raise AddressRefused("not in OUTGOING_HOSTS")
    return addresses[0]
