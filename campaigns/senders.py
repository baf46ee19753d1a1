"""Where a request came from, as coarsely as counting needs it: a network, never an address."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# Named here, because Python's own ``is_private`` differs from release to release.
_OURS = [
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10",
        "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10",
    )
]  # fmt: skip


def sender(request: HttpRequest) -> str:
    """The network (IPv4 /24, IPv6 /64) a request came from, behind as many proxies as are ours.

    Empty if unknown. A private address is a proxy's that nobody told us about, or one in the
    company's own house.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        passed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = passed[-min(settings.TRUSTED_PROXIES, len(passed))].strip()
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    if any(found.version == net.version and found in net for net in _OURS):
        return ""
    size = 24 if found.version == 4 else 64
    return str(ipaddress.ip_network(f"{found}/{size}", strict=False))


def undeclared_proxy(request: HttpRequest) -> bool:
    """Tell whether a request surely came through a proxy of ours that ``TRUSTED_PROXIES`` lacks.

    A proxy in the house says so itself. What it says about the visitor is not believed: before its
    own entry anybody can write what they like, and one that passes the header on adds none.
    """
    passed = request.META.get("HTTP_X_FORWARDED_FOR", "").strip()
    return settings.TRUSTED_PROXIES == 0 and bool(passed) and not sender(request)
