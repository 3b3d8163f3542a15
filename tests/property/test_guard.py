"""Whatever the address and however it is dressed: the verdict is the one on the address that would be reached."""

import contextlib
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from hypothesis import example, given
from hypothesis import strategies as st

from heliograph.net.guard import Forbidden, Guard, is_well_formed

OPEN = Guard()
EDGES = [
    int(IPv4Address(text))
    for text in (
        "0.0.0.0",
        "10.0.0.0",
        "100.64.0.0",
        "127.0.0.1",
        "169.254.0.0",
        "172.16.0.0",
        "192.168.0.0",
        "224.0.0.0",
    )
]
V4 = st.builds(IPv4Address, st.integers(0, 2**32 - 1) | st.sampled_from(EDGES))
V6 = st.builds(IPv6Address, st.integers(0, 2**128 - 1) | st.integers(0, 2**48) | st.integers(0x20 << 120, 0x3F << 120))


@given(V4)
def test_ipv4_that_is_special_to_the_standard_library_is_never_called(address: IPv4Address) -> None:
    special = address.is_private or address.is_multicast or address.is_reserved or address.is_link_local
    if special or address.is_loopback or address.is_unspecified:
        assert OPEN.objection(address) is not None


@given(V6)
def test_ipv6_outside_global_unicast_is_called_only_as_an_ipv4_address(address: IPv6Address) -> None:
    inside = address in IPv6Network("2000::/3")
    dressed = address in IPv6Network("::ffff:0:0/96") or address in IPv6Network("64:ff9b::/96")
    assert inside or dressed or OPEN.objection(address) is not None


@given(V4)
def test_dressed_address_gets_the_verdict_of_the_naked_one(address: IPv4Address) -> None:
    verdict = OPEN.objection(address)
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        assert OPEN.objection(IPv6Address(int(IPv6Address(prefix)) + int(address))) == verdict


@given(V4)
def test_address_carried_through_a_tunnel_is_never_called(address: IPv4Address) -> None:
    number = int(address)
    for carried in (number, 0x2002 << 112 | number << 80, 0x20010000 << 96 | number ^ 0xFFFFFFFF):
        assert OPEN.objection(IPv6Address(carried)) is not None


@given(V4, st.integers(0, 32))
def test_operators_network_passes_whole(address: IPv4Address, prefix: int) -> None:
    network = IPv4Network((address, prefix), strict=False)
    guard = Guard([network])
    assert guard.objection(address) is None
    assert guard.check_url(f"http://{network.broadcast_address}/").host == str(network.broadcast_address)


OCTET = st.integers(0, 255).flatmap(lambda n: st.sampled_from([str(n), hex(n), f"0{n:o}", hex(n).upper(), f"00{n}"]))
SPELLINGS = st.lists(OCTET, min_size=1, max_size=4).map(".".join) | st.integers(0, 2**32 - 1).map(str)


@given(SPELLINGS)
def test_only_the_usual_spelling_of_an_address_is_taken(spelling: str) -> None:
    with contextlib.suppress(OSError, Forbidden):
        meant = socket.inet_aton(spelling)  # what the system's resolver would make of it
        assert Guard([IPv4Network("0.0.0.0/0")]).check_url(f"http://{spelling}/").host == socket.inet_ntoa(meant)


URLS = st.text() | st.text(alphabet="http:/[]@#?%\\.0x127①aé ", max_size=20).map("http://".__add__)


@given(URLS)
@example("HTTP://[]@")
def test_any_text_is_refused_or_taken_with_a_host_of_ascii(text: str) -> None:
    with contextlib.suppress(Forbidden):
        guarded = OPEN.check_url(text)
        assert is_well_formed(text)
        assert guarded.host.isascii()
        assert guarded.url.raw_host == guarded.host
        assert guarded.url.user is None
        assert guarded.scheme in ("http", "https")
