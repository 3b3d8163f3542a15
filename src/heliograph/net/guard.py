"""Which addresses the server may be told to call: the policy against server-side request forgery, without I/O.

Rules: a URL is parsed once, and what was judged is what is called. Addresses are judged as numbers against an explicit
list, after an IPv4 address inside an IPv6 one is taken out; the flags of the standard library call NAT64 and multicast
addresses global, and change between versions. The operator's networks pass whatever the list says.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HINT = "the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW"

# IANA's special-purpose registries (RFC 6890), and what cloud hosts add. The first that holds an address names it.
_CLOSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier-grade NAT address"),
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "a cloud platform's host address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "an address reserved for protocols"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
# Ranges whose addresses carry an IPv4 address through a tunnel are closed whole: no webhook lives there.
_CLOSED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("::/96", "an IPv4-compatible address"),
        ("::ffff:0:0:0/96", "an IPv4-translated address"),
        ("64:ff9b:1::/48", "a local NAT64 address"),
        ("100::/64", "a discard address"),
        ("2001::/32", "a Teredo address"),
        ("2001:2::/48", "a benchmarking address"),
        ("2001::/23", "an address reserved for protocols"),
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "a 6to4 address"),
        ("3fff::/20", "a documentation address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)
# Nothing outside is handed out to anyone (RFC 4291, 2.4).
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Addresses that are IPv4 ones in other words: mapped (RFC 4291, 2.5.5.2), and what DNS64 answers (RFC 6052, 2.1).
_IPV4_IN_IPV6 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))

_AUTHORITY = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
_BLANK_OR_BACKSLASH = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# A host whose last label is a number is an IPv4 address to resolvers, whatever its spelling.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Forbidden(Exception):
    """A URL or address that must not be called; the text is a sentence for whoever set it up."""


class GuardedUrl(NamedTuple):
    """A URL that may be called, as far as can be said before its name is resolved. host: ASCII, without brackets."""

    url: URL
    scheme: str
    host: str
    port: int


class Guard:
    """The policy of one server. allowed: the operator's networks, which pass although they are private."""

    def __init__(self, allowed: Iterable[Network] = (), *, https_only: bool = False) -> None:
        self._allowed = tuple(allowed)
        self._https_only = https_only

    def check_url(self, text: str) -> GuardedUrl:
        """Parse a URL, and judge all of it but the addresses of its name. Raises `Forbidden`."""
        guarded = _parse(text)
        if self._https_only and guarded.scheme != "https":
            raise Forbidden("the URL must begin with https://")
        literal = _literal(guarded.host)
        if literal is not None:
            self.check_address(literal)
        return guarded

    def check_address(self, address: Address) -> None:
        """Judge an address. Raises `Forbidden`."""
        objection = self.objection(address)
        if objection:
            raise Forbidden(f"{address} is {objection}; {HINT}")

    def objection(self, address: Address) -> str | None:
        """What kind of address it is if it may not be called ("a private address"), else None."""
        meant = _unwrapped(address)
        if any(address in network or meant in network for network in self._allowed):
            return None
        if isinstance(meant, IPv4Address):
            return next((kind for network, kind in _CLOSED_V4 if meant in network), None)
        kind = next((kind for network, kind in _CLOSED_V6 if meant in network), None)
        return kind or (None if meant in _GLOBAL_UNICAST else "not a public address")


def is_well_formed(text: str) -> bool:
    """Whether a URL can be stored: http or https, and a host. Whether it may be called is judged at each call."""
    if not _AUTHORITY.match(text) or _BLANK_OR_BACKSLASH.search(text):
        return False
    try:
        return bool(URL(text).raw_host)
    except (ValueError, IndexError):  # the library looks for a host behind a user name that nothing follows
        return False


@lru_cache(maxsize=1024)
def _parse(text: str) -> GuardedUrl:
    begin = _AUTHORITY.match(text)
    if not begin or not is_well_formed(text):
        raise Forbidden("the URL is not of the form https://host/path")
    authority, url = begin[1], URL(text)
    host, port = url.raw_host or "", url.port
    if "#" in text:
        raise Forbidden("the URL has a fragment (#), which is never sent")
    if "@" in authority:
        raise Forbidden("the URL has a user name or password in it")
    if not _is_host(host) or ("[" in authority) != (":" in host):
        raise Forbidden("the URL's host is neither a name nor an IP address in its usual form")
    if isinstance(_literal(host), IPv4Address) and not authority.startswith(host):
        raise Forbidden("the URL's host is an IP address in disguise")
    if not port:
        raise Forbidden("the URL's port must be 1 to 65535")
    return GuardedUrl(url, url.scheme, host, port)


def _is_host(host: str) -> bool:
    if _literal(host) is not None:
        return True
    labels = host.split(".")
    is_name = len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    return is_name and not _NUMBER.fullmatch(labels[-1])


def _literal(host: str) -> Address | None:
    """The address that a host is; only the usual dotted form counts for IPv4, and no IPv6 zone."""
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv6Address) and any(address in network for network in _IPV4_IN_IPV6):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
