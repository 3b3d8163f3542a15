"""What the server may not be told to call, each case of the SSRF checklist by name."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest

from heliograph.net.guard import Forbidden, Guard, is_well_formed

OPEN = Guard()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0.0.0.0", "an unspecified address"),
        ("10.11.12.13", "a private address"),
        ("100.64.0.1", "a carrier-grade NAT address"),
        ("100.100.100.200", "a carrier-grade NAT address"),
        ("127.0.0.1", "a loopback address"),
        ("127.255.255.254", "a loopback address"),
        ("168.63.129.16", "a cloud platform's host address"),
        ("169.254.169.254", "a link-local address"),
        ("172.16.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.0.0.192", "an address reserved for protocols"),
        ("192.0.2.7", "a documentation address"),
        ("192.88.99.1", "a 6to4 relay address"),
        ("192.168.1.1", "a private address"),
        ("198.19.0.1", "a benchmarking address"),
        ("198.51.100.1", "a documentation address"),
        ("203.0.113.1", "a documentation address"),
        ("224.0.0.1", "a multicast address"),
        ("240.0.0.1", "a reserved address"),
        ("255.255.255.255", "the broadcast address"),
        ("::", "an unspecified address"),
        ("::1", "a loopback address"),
        ("::127.0.0.1", "an IPv4-compatible address"),
        ("::ffff:127.0.0.1", "a loopback address"),
        ("::ffff:169.254.169.254", "a link-local address"),
        ("::ffff:0:10.0.0.1", "an IPv4-translated address"),
        ("64:ff9b::a9fe:a9fe", "a link-local address"),
        ("64:ff9b::7f00:1", "a loopback address"),
        ("64:ff9b:1::a9fe:a9fe", "a local NAT64 address"),
        ("100::1", "a discard address"),
        ("2001:0:7f00:1::", "a Teredo address"),
        ("2001:2::1", "a benchmarking address"),
        ("2001:10::1", "an address reserved for protocols"),
        ("2001:db8::1", "a documentation address"),
        ("2002:a9fe:a9fe::", "a 6to4 address"),
        ("2002:7f00:1::1", "a 6to4 address"),
        ("3fff::1", "a documentation address"),
        ("4000::1", "not a public address"),
        ("fc00::1", "a private address"),
        ("fd00:ec2::254", "a private address"),
        ("fe80::1", "a link-local address"),
        ("fe81::1", "a link-local address"),
        ("febf::1", "a link-local address"),
        ("fe80::1%eth0", "a link-local address"),
        ("fec0::1", "a site-local address"),
        ("ff02::1", "a multicast address"),
    ],
)
def test_address_is_forbidden_by_name(text: str, kind: str) -> None:
    address = ip_address(text)
    assert OPEN.objection(address) == kind
    with pytest.raises(Forbidden) as refusal:
        OPEN.check_address(address)
    assert str(refusal.value) == f"{address} is {kind}; the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW"


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2001:200::1",
        "2606:4700::1111",
    ],
)
def test_public_address_passes(text: str) -> None:
    OPEN.check_address(ip_address(text))


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.0/8", "::ffff:127.0.0.1"),
        ("10.0.0.0/8", "64:ff9b::a00:1"),
        ("::1/128", "::1"),
        ("fd00::/8", "fd00:ec2::254"),
        ("2002::/16", "2002:a9fe:a9fe::"),
    ],
)
def test_operators_network_passes(network: str, text: str) -> None:
    Guard([ip_network(network)]).check_address(ip_address(text))


def test_operators_network_opens_nothing_else() -> None:
    guard = Guard([IPv4Network("10.1.0.0/16"), IPv6Network("fd00::/16")])
    for text in ("10.2.0.1", "127.0.0.1", "fd01::1", "2002:a01:1::", "::10.1.0.1"):
        assert guard.objection(ip_address(text)) is not None


DISGUISES = [
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0x/",
    "http://①②⑦.0.0.1/",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://127.0.0.1./",
    "http://127.0.0.01/",
    "http://%31%32%37.0.0.1/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://hook.example.0x1/",
    "http://[fe80::1%25eth0]/",
    "http://[v1.2]/",
]


@pytest.mark.parametrize("text", DISGUISES)
def test_odd_spelling_of_an_address_is_refused_whatever_is_allowed(text: str) -> None:
    guard = Guard([ip_network("0.0.0.0/0"), ip_network("::/0")])
    with pytest.raises(Forbidden, match="the URL's host is"):
        guard.check_url(text)


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1/", "http://[::1]/", "http://[0:0::1]:80/", "http://[::FFFF:7f00:1]"]
)
def test_literal_is_judged_before_any_connection(text: str) -> None:
    with pytest.raises(Forbidden, match="is a loopback address; the operator can allow it"):
        OPEN.check_url(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("https://user@hook.example/", "user name or password"),
        ("https://user:secret@hook.example/", "user name or password"),
        ("https://@hook.example/", "user name or password"),
        ("https://hook.example@10.0.0.1/", "user name or password"),
        ("https://hook.example/#top", "fragment"),
        ("https://hook.example/#", "fragment"),
        ("https://hook.example./", "neither a name nor"),
        ("https://hook..example/", "neither a name nor"),
        ("https://-hook.example/", "neither a name nor"),
        ("https://" + "a" * 64 + ".example/", "neither a name nor"),
        ("https://" + "a." * 127 + "example/", "neither a name nor"),
        ("https://hook.example:0/", "port"),
    ],
)
def test_url_with_something_that_hides_its_aim_is_refused(text: str, complaint: str) -> None:
    assert is_well_formed(text)
    with pytest.raises(Forbidden, match=complaint):
        OPEN.check_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hook.example",
        "//hook.example/",
        "ftp://hook.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/",
        "http:hook.example",
        "http://",
        "http:///path",
        "http://?query",
        "https://hook.example:99999/",
        "https://hook.example:port/",
        "https://hook example/",
        "https://hook.example\\@10.0.0.1/",
        "https://hook.example/\r\nHost: other",
        "https://hook.example/\0",
        " https://hook.example/",
        "https://[::1",
        "https://\ud800/",
    ],
)
def test_malformed_url_is_not_even_stored(text: str) -> None:
    assert not is_well_formed(text)
    with pytest.raises(Forbidden, match="not of the form"):
        OPEN.check_url(text)


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port"),
    [
        ("https://hook.example/a?b=c", "https", "hook.example", 443),
        ("http://hook.example:8080", "http", "hook.example", 8080),
        ("HTTPS://Hook.EXAMPLE/", "https", "hook.example", 443),
        ("http://bücher.example/", "http", "xn--bcher-kva.example", 80),
        ("http://web_hook/", "http", "web_hook", 80),
        ("http://1.1.1.1:81/", "http", "1.1.1.1", 81),
        ("https://[2606:4700::1111]/", "https", "2606:4700::1111", 443),
        ("https://hook.example/@me?to=a@b", "https", "hook.example", 443),
    ],
)
def test_url_is_parsed_once(text: str, scheme: str, host: str, port: int) -> None:
    guarded = OPEN.check_url(text)
    assert (guarded.scheme, guarded.host, guarded.port) == (scheme, host, port)
    assert (guarded.url.raw_host, guarded.url.port) == (host, port)


def test_operator_can_require_https() -> None:
    guard = Guard(https_only=True)
    assert guard.check_url("https://hook.example:8443/").port == 8443
    with pytest.raises(Forbidden, match="must begin with https://"):
        guard.check_url("http://hook.example/")
