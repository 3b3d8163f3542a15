import pytest

from heliograph.carriers.settings import BadCarrier
from heliograph.carriers.smpp.profile import Profile, profile_of
from heliograph.carriers.treatments import Refuse
from heliograph.cli.arguments import settings_of
from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel
from heliograph.core.receipts import IdForm


def read(url: str, **settings: object) -> Profile:
    channels = frozenset({Channel.SMS})
    return profile_of(Carrier(carrier_id=CarrierId(1), name="north", url=url, channels=channels, settings=settings))


def test_a_plain_address() -> None:
    profile = read("smpp://me:secret@carrier.example:2776")
    assert (profile.host, profile.port, profile.system_id, profile.password) == (
        "carrier.example",
        2776,
        "me",
        "secret",
    )
    assert not profile.is_encrypted


def test_the_registered_port_is_the_usual_one() -> None:
    assert read("smpp://me:secret@carrier.example").port == 2775


def test_an_address_with_everything_odd() -> None:
    profile = read("smpps://m%40e:p%2F%3A%23%C3%A9@[::1]:8887")
    assert (profile.system_id, profile.password, profile.host) == ("m@e", "p/:#é", "::1")
    assert profile.is_encrypted
    assert profile.verifies


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(read("smpp://me:secret@carrier.example"))


def test_an_id_of_digits_may_be_typed_as_it_is() -> None:
    typed = settings_of(["entity_id=1101402600000012345", "system_type=007"])
    assert typed is not None
    profile = read("smpp://me:secret@carrier.example", **typed)
    assert (profile.entity_id, profile.system_type) == ("1101402600000012345", "007")


def test_all_settings() -> None:
    profile = read(
        "smpps://me:secret@carrier.example:1",
        verify=False,
        system_type="VMA",
        service_type="OMV4",
        validity_s=3600,
        id_form="hex-in-answer",
        sniffs_text=True,
        enquire_link_s=60,
        response_s=10,
        statuses={"0x14": "refuse"},
    )
    assert not profile.verifies
    assert (profile.system_type, profile.service_type, profile.validity_s) == ("VMA", "OMV4", 3600)
    assert profile.id_form is IdForm.HEX_IN_ANSWER
    assert profile.sniffs_text
    assert (profile.enquire_link_s, profile.response_s) == (60, 10)
    assert profile.statuses == {0x14: Refuse()}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://me:secret@carrier.example", "smpp://"),
        ("smpp://carrier.example", "system_id"),
        ("smpp://me:secret@", "host"),
        ("smpp://me:secret@carrier.example:99999", "well-formed"),
        ("smpp://me:secret@[::1", "well-formed"),
        ("smpps://me:secret@carrier.example", "port"),
        ("smpp://me:se/cret@carrier.example", "well-formed|percent-encode"),
        ("smpp://me:secret@carrier.example/path", "percent-encode"),
        ("smpp://me:%E2%82%AC@carrier.example", "Latin-1"),
        ("smpp://me:a%00b@carrier.example", "NUL"),
        ("smpp://me:" + "a" * 65 + "@carrier.example", "64"),
    ],
)
def test_an_address_with_a_mistake(url: str, says: str) -> None:
    with pytest.raises(BadCarrier, match=says):
        read(url)


@pytest.mark.parametrize(
    "settings",
    [
        {"window_size": 10},
        {"verify": "no"},
        {"system_type": "much too long"},
        {"service_type": "é"},
        {"service_type": 5.0},
        {"validity_s": "1"},
        {"validity_s": -1},
        {"validity_s": True},
        {"response_s": 0},
        {"id_form": "octal"},
        {"statuses": {"0x14": "no"}},
    ],
)
def test_a_setting_with_a_mistake_is_named(settings: dict[str, object]) -> None:
    (name,) = settings
    with pytest.raises(BadCarrier, match=name):
        read("smpp://me:secret@carrier.example", **settings)
