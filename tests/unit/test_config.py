import ipaddress
from pathlib import Path

import pytest

from heliograph.config import Settings, address_of, environ_of, load_settings
from heliograph.core.alphabets import NationalPrefix
from heliograph.gsm.national import Language
from heliograph.services.refused import Refused

TURKEY, PORTUGAL = NationalPrefix("90", Language.TURKISH), NationalPrefix("351", Language.PORTUGUESE)
HOME = {"HOME": "/home/crane"}


def _file(folder: Path, text: str) -> Path:
    path = folder / "heliograph.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_set_the_defaults_hold() -> None:
    settings = load_settings(None, HOME, {})
    assert settings == Settings(data=Path("/home/crane/.local/share/heliograph"))
    assert (settings.listen, settings.smpp_listen, settings.rate_limit) == ("127.0.0.1:8080", None, 0)
    assert (settings.sender, settings.database, settings.public_url) == ("Heliograph", "", None)


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, 'listen = "127.0.0.1:1"\nrate_limit = 1\nsender = "File"\nlog_level = "debug"')
    environ = HOME | {"HELIOGRAPH_RATE_LIMIT": "2", "HELIOGRAPH_SENDER": "Environ", "HELIOGRAPH_LOG_LEVEL": ""}
    settings = load_settings(path, environ, {"sender": "Flag", "data": None})
    assert (settings.listen, settings.rate_limit, settings.sender) == ("127.0.0.1:1", 2, "Flag")
    assert settings.log_level == "debug"


def test_the_environment_names_the_file_unless_a_flag_does(tmp_path: Path) -> None:
    path = _file(tmp_path, "rate_limit = 7")
    other = tmp_path / "other.toml"
    other.write_text("rate_limit = 8", encoding="utf-8")
    environ = HOME | {"HELIOGRAPH_CONFIG": str(path)}
    assert load_settings(None, environ, {}).rate_limit == 7
    assert load_settings(other, environ, {}).rate_limit == 8


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("data", "/srv/heliograph", Path("/srv/heliograph")),
        ("database", "postgresql:///h?host=/run/pg", "postgresql:///h?host=/run/pg"),
        ("listen", "[::1]:80", "[::1]:80"),
        ("smpp_listen", "0.0.0.0:2775", "0.0.0.0:2775"),
        ("smpp_listen", "off", None),
        ("public_url", "https://example.com/", "https://example.com"),
        ("webhook_https_only", "yes", True),
        ("webhook_https_only", "0", False),
        ("sender", "+27831234567", "27831234567"),
        ("us_campaigns", "Required", "required"),
        ("retention_days", "7", 7),
        ("national_tables", "off", ()),
        ("national_tables", "90:turkish, +351:Portuguese", (TURKEY, PORTUGAL)),
        ("log_level", "WARNING", "warning"),
        (
            "webhook_allow",
            "127.0.0.0/8, ::1/128",
            (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
        ),
    ],
)
def test_values_are_read_from_the_environment(name: str, written: str, value: object) -> None:
    assert getattr(load_settings(None, HOME | {f"HELIOGRAPH_{name.upper()}": written}, {}), name) == value


def test_where_media_are_kept() -> None:
    assert load_settings(None, HOME, {}).media == ""
    assert load_settings(None, HOME | {"HELIOGRAPH_MEDIA": "/srv/../srv/media"}, {}).media == "/srv/../srv/media"
    bucket = "s3://media/mms?endpoint=http://127.0.0.1:9000&region=eu-1"
    settings = load_settings(None, HOME | {"HELIOGRAPH_MEDIA": bucket}, {"media_most_octets": 5, "media_link_days": 2})
    assert (settings.media, settings.media_most_octets, settings.media_link_days) == (bucket, 5, 2)
    with pytest.raises(Refused, match=r"HELIOGRAPH_MEDIA is the path of a folder or s3://BUCKET"):
        load_settings(None, HOME | {"HELIOGRAPH_MEDIA": "gs://media"}, {})


def test_a_file_may_use_its_own_types(tmp_path: Path) -> None:
    path = _file(tmp_path, 'webhook_https_only = true\nwebhook_allow = ["10.0.0.0/8"]\nvalidity_hours = 3')
    settings = load_settings(path, HOME, {})
    assert settings.webhook_https_only
    assert settings.webhook_allow == (ipaddress.ip_network("10.0.0.0/8"),)
    assert settings.validity_hours == 3


@pytest.mark.parametrize(
    ("name", "written", "form"),
    [
        ("database", "mysql://a", "sqlite:///PATH or postgresql://"),
        ("listen", "8080", "HOST:PORT"),
        ("listen", "a:b", "HOST:PORT"),
        ("listen", "localhost:99999", "HOST:PORT"),
        ("listen", "a:1/path", "HOST:PORT"),
        ("smpp_listen", "on", "HOST:PORT or off"),
        ("public_url", "example.com", "http:// or https://"),
        ("webhook_allow", "everything", "networks such as 127.0.0.0/8"),
        ("webhook_allow", "10.0.0.1/8", "networks such as 127.0.0.0/8"),
        ("webhook_https_only", "maybe", "true or false"),
        ("rate_limit", "-1", "whole number of requests a minute"),
        ("rate_limit", "1.5", "whole number of requests a minute"),
        ("memory_limit", "0", "1 or more"),
        ("sender", "far too long a sender", "at most 11 GSM characters"),
        ("us_campaigns", "yes", "off or required"),
        ("retention_days", "6", "7 or more"),
        (
            "national_tables",
            "90:klingon",
            "PREFIX:LANGUAGE with commas between them, each prefix once (turkish, spanish,",
        ),
        ("national_tables", "turkish", "PREFIX:LANGUAGE"),
        ("national_tables", "90:turkish,", "PREFIX:LANGUAGE"),
        ("national_tables", "90:turkish,90:hindi", "each prefix once"),
        ("log_level", "loud", "debug, info, warning or error"),
    ],
)
def test_a_bad_value_is_refused_by_name_with_the_form_that_is_valid(name: str, written: str, form: str) -> None:
    with pytest.raises(Refused) as refused:
        load_settings(None, HOME | {f"HELIOGRAPH_{name.upper()}": written}, {})
    sentence = str(refused.value)
    assert sentence.startswith(f"HELIOGRAPH_{name.upper()} is ")
    assert form in sentence
    assert repr(written) in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("text", ["rate_limit = true", "rate_limit = 1.0", "listen = 8080", "data = 1", "database = 1"])
def test_a_value_of_another_type_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused, match=f"{text.partition(' ')[0]} is "):
        load_settings(_file(tmp_path, text), HOME, {})


def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no setting 'listn'; there are data, database, database_unsafe, listen"):
        load_settings(_file(tmp_path, 'listn = "a:1"'), HOME, {})
    with pytest.raises(Refused, match="is not TOML"):
        load_settings(_file(tmp_path, "listen ="), HOME, {})
    with pytest.raises(Refused, match="cannot be read: No such file"):
        load_settings(tmp_path / "none.toml", HOME, {})


def test_a_flag_is_refused_by_the_name_it_was_written_under() -> None:
    with pytest.raises(Refused, match="--smpp-listen is HOST:PORT or off, not 'x'"):
        load_settings(None, HOME, {"smpp_listen": "x"})


def test_an_address_has_a_host_and_a_port() -> None:
    assert address_of("localhost:80") == ("localhost", 80)
    with pytest.raises(ValueError, match="u@a:1"):
        address_of("u@a:1")


def test_settings_are_the_same_out_of_the_environment_they_are_written_to() -> None:
    flags = {
        "webhook_allow": "127.0.0.0/8,10.0.0.0/8",
        "public_url": "https://sms.example/",
        "smpp_listen": "127.0.0.1:2775",
        "webhook_https_only": True,
        "rate_limit": 7,
        "national_tables": "90:turkish,351:portuguese",
        "database": "sqlite:////tmp/a.sqlite",
    }
    for given in ({}, flags):
        settings = load_settings(None, {"HOME": "/home/crane"}, given)
        assert load_settings(None, environ_of(settings), {}) == settings
