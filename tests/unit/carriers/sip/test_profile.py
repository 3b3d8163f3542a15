import pytest

from heliograph.carriers.settings import BadCarrier
from heliograph.carriers.sip.profile import Partial, Profile, Voicemail, profile_of
from heliograph.carriers.treatments import Refuse
from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel
from heliograph.rtp.g711 import Law
from heliograph.sip.digest import Credentials
from heliograph.sip.ways import Transport


def read(url: str = "sip://me:secret@trunk.example", *, window: int = 1, **settings: object) -> Profile:
    channels = frozenset({Channel.VOICE})
    return profile_of(
        Carrier(
            carrier_id=CarrierId(1), name="trunk", url=url, channels=channels, window=window, settings=settings
        )
    )  # fmt: skip


def test_a_plain_address() -> None:
    profile = read("sip://me:secret@trunk.example:5070")
    assert (profile.host, profile.port, profile.transport) == ("trunk.example", 5070, Transport.UDP)
    assert profile.credentials == Credentials("me", "secret")
    assert "secret" not in repr(profile)


def test_the_registered_ports_are_the_usual_ones() -> None:
    assert read("sip://trunk.example").port == 5060
    assert read("sips://trunk.example").port == 5061


def test_a_trunk_that_knows_us_by_our_address_needs_no_credentials() -> None:
    assert read("sip://trunk.example").credentials is None


def test_an_address_with_everything_odd() -> None:
    profile = read("sips://m%40e:p%2F%3A%23%C3%A9@[::1]:8887", transport="tls", verify=False)
    assert (profile.host, profile.credentials) == ("::1", Credentials("m@e", "p/:#é"))
    assert profile.transport is Transport.TLS
    assert not profile.verifies


def test_all_settings() -> None:
    profile = read(
        transport="tcp",
        domain="carrier.example",
        caller="27820000000",
        plus=False,
        address="192.0.2.7",
        codecs=["pcma"],
        ports="10001-10006",
        follows=True,
        ring_s=30,
        pause_ms=0,
        between_ms=500,
        times=2,
        silence_s=20,
        partial="delivered",
        voicemail="hang-up",
        tries=5,
        retry_s=60,
        statuses={"486": "refuse"},
    )
    assert profile.transport is Transport.TCP
    assert (profile.domain, profile.caller, profile.has_plus) == ("carrier.example", "27820000000", False)
    assert (profile.advertised, profile.laws, profile.follows) == ("192.0.2.7", (Law.PCMA,), True)
    assert list(profile.rtp_ports) == [10002, 10004]
    assert (profile.ring_s, profile.pause_ms, profile.between_ms, profile.times) == (30, 0, 500, 2)
    assert (profile.silence_s, profile.tries, profile.retry_s) == (20, 5, 60)
    assert profile.statuses == {486: Refuse()}
    assert (profile.partial, profile.voicemail) == (Partial.DELIVERED, Voicemail.HANG_UP)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://me:secret@trunk.example", "sip://"),
        ("sip://me:secret@", "host"),
        ("sip:trunk.example", "host"),
        ("sip://trunk.example:99999", "well-formed"),
        ("sip://trunk.example:0", "port"),
        ("sip://[::1", "well-formed"),
        ("sip://me:se/cret@trunk.example", "well-formed|percent-encode"),
        ("sip://trunk.example/path", "percent-encode"),
        ("sip://trunk.example;transport=tcp", "transport"),
        ("sip://:secret@trunk.example", "no user"),
        ("sip://me:%0Asecret@trunk.example", "printable"),
        ("sip://me:" + "a" * 129 + "@trunk.example", "128"),
    ],
)
def test_an_address_with_a_mistake(url: str, says: str) -> None:
    with pytest.raises(BadCarrier, match=says):
        read(url)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"transport": "tls"}, "sips://"),
        ({"transport": "sctp"}, "udp, tcp or tls"),
        ({"address": "trunk.example"}, "address"),
        ({"codecs": []}, "PCMU and PCMA"),
        ({"codecs": ["PCMU", "pcmu"]}, "PCMU and PCMA"),
        ({"codecs": ["opus"]}, "PCMU and PCMA"),
        ({"ports": "9000"}, "16384-32767"),
        ({"ports": "9001-9002"}, "even port"),
        ({"ports": "9002-9001"}, "16384-32767"),
        ({"times": 3}, "from 1 to 2"),
        ({"partial": "half"}, "delivered, undelivered"),
        ({"voicemail": "shout"}, "speak, wait, hang-up, retry"),
        ({"caller": "Zoë"}, "ASCII"),
        ({"ring_s": 0}, "from 1 to 300"),
        ({"volume": 11}, "no such setting"),
    ],
)
def test_a_setting_with_a_mistake(settings: dict[str, object], says: str) -> None:
    with pytest.raises(BadCarrier, match=says):
        read(**settings)  # type: ignore[arg-type]


def test_a_number_may_be_typed_without_quotes() -> None:
    assert read(caller=27820000000).caller == "27820000000"
    assert read(caller="+27820000000").caller == "+27820000000"


def test_tls_cannot_be_had_by_another_transport() -> None:
    with pytest.raises(BadCarrier, match="sips://"):
        read("sips://trunk.example", transport="udp")


def test_a_line_carries_one_call() -> None:
    with pytest.raises(BadCarrier, match="window is 1"):
        read(window=10)
