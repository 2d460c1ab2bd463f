"""Which addresses the hub may call: no private network, no metadata service, no odd spelling."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from chalicelib.errors import Refused

PORTS = (443, 8443)
LONGEST_URL = 8192

REFUSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host service on a public address
        "169.254.0.0/16",  # link-local; the metadata services of clouds and containers
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # TEST-NET-1
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # TEST-NET-2
        "203.0.113.0/24",  # TEST-NET-3
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)

# Only 2000::/3 is handed out as global unicast. Everything outside is refused by that: loopback,
# IPv4-compatible and -mapped, NAT64, discard, 5f00::/16, unique local, link- and site-local,
# multicast. The table holds what is special within it.
GLOBAL_V6 = IPv6Network("2000::/3")
REFUSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # 6bone, given back
        "3fff::/20",  # documentation
    )
)

# A top-level domain starts with a letter, so 127.1, 2130706433 and 0x7f000001 are no host names.
_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\Z"
)
_VISIBLE = re.compile(r"[\x21-\x7e]+\Z")


@dataclass(frozen=True)
class Target:
    """An address that may be called, taken apart.

    Attributes:
        path: with the query.
        is_private: one of the stage's own loopback servers, called by plain http.
    """

    host: str
    port: int
    path: str
    is_private: bool = False

    @property
    def host_header(self) -> str:
        """Give the name as the Host header wants it."""
        return self.host if self.port == (80 if self.is_private else 443) else self.netloc

    @property
    def netloc(self) -> str:
        """Give host:port."""
        return f"{self.host}:{self.port}"


def check_url(url: str, private_hosts: Sequence[str] = ()) -> Target:
    """Take an address apart if its spelling allows calling it; what it resolves to comes later.

    Args:
        url: https on port 443 or 8443, a host name, no user; printable ASCII.
        private_hosts: host:port of loopback servers that may be called by plain http.

    Raises:
        Refused: the address may not be called; says why.
    """
    if not _VISIBLE.match(url) or "\\" in url or len(url) > LONGEST_URL:
        raise Refused("address: expected printable ASCII without spaces and backslashes")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("address: expected https://host/path") from None
    if "@" in parts.netloc:
        raise Refused("address: a user or password in it is not allowed")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "http" and f"{host}:{port or 80}" in private_hosts:
        return Target(host, port or 80, path, is_private=True)
    if parts.scheme != "https":
        raise Refused("address: expected https")
    if port is None:
        port = 443
    if port not in PORTS:
        raise Refused("address: expected port 443 or 8443")
    if not _HOST.match(host):
        raise Refused("address: expected a host name")
    return Target(host, port, path)


def check_resolved(target: Target, addresses: Sequence[str]) -> None:
    """Refuse a target unless every address it resolves to may be dialled.

    Raises:
        Refused: one of them is not public, or not loopback where the stage's own is meant.
    """
    for address in addresses:
        if not (_is_loopback(address) if target.is_private else is_public(address)):
            raise Refused(f"{target.host}: resolves to an address that may not be called")


def is_public(address: str) -> bool:
    """Tell whether an IP address is an ordinary one of the public internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if ip.version == 4:
        return not any(ip in network for network in REFUSED_V4)
    if ip.scope_id is not None or ip not in GLOBAL_V6:
        return False
    return not any(ip in network for network in REFUSED_V6)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
