import pytest

from heliograph.carriers.mm7.profile import MOST_OCTETS, Profile, SenderForm, channels_of, profile_of
from heliograph.carriers.settings import BadCarrier
from heliograph.carriers.treatments import Refuse
from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel

URL = "mm7+https://shop:secret@mms.example/submit"


def carrier(url: str, **settings: object) -> Carrier:
    channels = frozenset({Channel.MMS})
    return Carrier(carrier_id=CarrierId(1), name="picture", url=url, channels=channels, settings=settings)


def read(url: str, **settings: object) -> Profile:
    return profile_of(carrier(url, **settings))


def test_a_plain_address() -> None:
    profile = read(URL)
    assert (profile.url, profile.user, profile.password) == ("https://mms.example/submit", "shop", "secret")
    assert (profile.vasp_id, profile.version, profile.most_octets) == ("shop", "6.8.0", MOST_OCTETS)
    assert (profile.asks_delivery, profile.asks_reading, profile.has_plus, profile.is_binary) == (
        True, False, True, False
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mm7+http://a:b@127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("mm7+http://a:b@[::1]:8080/x/y?z=1&w", "http://[::1]:8080/x/y?z=1&w"),
        ("mm7+http://a@mms.example/", "http://mms.example/"),
    ],
)
def test_where_it_leads_without_the_credentials(url: str, expected: str) -> None:
    assert read(url).url == expected


def test_credentials_are_percent_decoded_and_not_shown() -> None:
    profile = read("mm7+http://m%40e:p%2F%3A%23%C3%A9@mms.example/")
    assert (profile.user, profile.password) == ("m@e", "p/:#é")
    assert "p/:#é" not in repr(profile)


def test_all_settings() -> None:
    profile = read(
        URL,
        namespace="urn:own",
        version="5.3.0",
        vasp_id="company",
        vas_id="news",
        service_code="free",
        sender="short-code",
        plus=False,
        binary=True,
        most_octets=300_000,
        most_side=640,
        validity_s=3600,
        delivery_report=False,
        read_reply=True,
        headers={"X-Key": "k"},
        response_s=10,
        statuses={"2001": "refuse"},
    )
    assert (profile.namespace, profile.version) == ("urn:own", "5.3.0")
    assert (profile.vasp_id, profile.vas_id, profile.service_code) == ("company", "news", "free")
    assert profile.sender_form is SenderForm.SHORT_CODE
    assert (profile.has_plus, profile.is_binary, profile.most_octets, profile.most_side) == (False, True, 300_000, 640)
    assert (profile.validity_s, profile.asks_delivery, profile.asks_reading, profile.response_s) == (
        3600, False, True, 10
    )  # fmt: skip
    assert profile.headers == {"X-Key": "k"}
    assert profile.statuses == {2001: Refuse()}


def test_it_carries_mms_and_nothing_else() -> None:
    assert channels_of(carrier(URL)) == {Channel.MMS}


@pytest.mark.parametrize(
    "url",
    [
        "http://shop:secret@mms.example/",
        "mm7://shop:secret@mms.example/",
        "mm7+http://shop:secret@/",
        "mm7+http://mms.example/",
        "mm7+http://sh%3Aop:secret@mms.example/",
        "mm7+http://shop:secret@mms.example:0/",
        "mm7+http://shop:secret@mms.example:70000/",
        "mm7+http://shop:se#cret@mms.example/",
        "mm7+http://shop:secret@[::1/",
    ],
)
def test_an_address_with_a_mistake_is_refused(url: str) -> None:
    with pytest.raises(BadCarrier):
        channels_of(carrier(url))


@pytest.mark.parametrize(
    "settings",
    [
        {"version": "six"},
        {"version": 6},
        {"sender": "name"},
        {"plus": "yes"},
        {"most_octets": 100},
        {"headers": []},
        {"headers": {"Authorization": "x"}},
        {"headers": {"X Y": "x"}},
        {"headers": {"X-Y": "a\r\nb"}},
        {"headers": {"X-Y": 1}},
        {"statuses": {"x": "refuse"}},
        {"colour": "blue"},
    ],
)
def test_a_setting_with_a_mistake_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(BadCarrier):
        read(URL, **settings)
