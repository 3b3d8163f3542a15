import contextlib
import time

import pytest

from heliograph.sip.errors import MessageError
from heliograph.sip.uris import NameAddr, SipUri, read_name_addr, read_uri, split_name_addr
from heliograph.sip.ways import Hop


def test_a_uri_with_everything() -> None:
    uri = read_uri("SIPS:al%40ice;day=tue:pw@[2001:db8::1]:5099;Transport=TCP;lr;x=%3b?Subject=a")
    assert uri == SipUri(
        scheme="sips",
        user="al@ice;day=tue",
        host="2001:db8::1",
        port=5099,
        parameters=(("transport", "TCP"), ("lr", None), ("x", ";")),
    )
    assert str(uri) == "sips:al%40ice;day=tue@[2001:db8::1]:5099;transport=TCP;lr;x=%3B"


def test_what_a_user_is_called_cannot_leave_its_place() -> None:
    uri = SipUri(user='a@b>\r\nX: y "', host="h")
    assert str(uri) == "sip:a%40b%3E%0D%0AX%3A%20y%20%22@h"
    assert read_uri(str(uri)) == uri


def test_a_name_shown_cannot_leave_its_quotes() -> None:
    assert str(NameAddr(uri=SipUri(host="h"), display='a"\r\n\\')) == '"a\\"  \\\\" <sip:h>'


def test_phone_numbers_without_a_host() -> None:
    uri = read_uri("tel:+27-82-123;phone-context=x")
    assert (uri.scheme, uri.user, uri.host) == ("tel", "+27-82-123", "")
    assert str(uri) == "tel:+27-82-123;phone-context=x"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("nobodyKnowsThisScheme:x", 416),
        ("http://x", 416),
        ("sip:", 400),
        ("sip:a@b c", 400),
        ("<sip:a@b>", 416),
        ("", 416),
    ],
)
def test_what_is_no_address(text: str, status: int) -> None:
    with pytest.raises(MessageError) as refused:
        read_uri(text)
    assert refused.value.status == status


def test_where_a_request_goes() -> None:
    assert read_uri("sip:a@h").hop == Hop("h", 5060)
    assert read_uri("sips:a@h").hop == Hop("h", 5061)
    assert read_uri("sip:a@h:7").hop == Hop("h", 7)


def test_parameters_are_found() -> None:
    uri = read_uri("sip:h;lr;transport=tcp")
    assert (uri.parameter("lr"), uri.parameter("transport"), uri.parameter("x")) == ("", "tcp", None)


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ('"A \\"B\\"" <sip:x;lr> ; tag=1', ('A "B"', "sip:x;lr", "; tag=1")),
        ("Ann Other <sip:x>", ("Ann Other", "sip:x", "")),
        ("<sip:x>;q=1", ("", "sip:x", ";q=1")),
        ("sip:x@h;tag=1", ("", "sip:x@h", ";tag=1")),
        ('"<sip:joe@no>" <sip:x>', ("<sip:joe@no>", "sip:x", "")),
    ],
)
def test_names_and_addresses(text: str, split: tuple[str, str, str]) -> None:
    assert split_name_addr(text) == split


@pytest.mark.parametrize("text", ['"Mr. J. User <sip:j@x>', "sip:a>b", "<sip:x", 'a "b" <sip:c>'])
def test_names_and_addresses_that_are_broken(text: str) -> None:
    with pytest.raises(MessageError):
        split_name_addr(text)


def test_a_whole_value() -> None:
    assert read_name_addr('"Ann" <sip:a@h>;tag="x y"') == NameAddr(
        uri=SipUri(user="a", host="h"), display="Ann", parameters=(("tag", "x y"),)
    )


@pytest.mark.parametrize(
    "text", [" " * 8_000, '"' + "\\" * 8_000, "a" * 8_000, "sip:" + "@" * 8_000, "sip:" + "a" * 8_000]
)
def test_long_rubbish_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    for read in (read_name_addr, read_uri):
        with contextlib.suppress(MessageError):
            read(text)
    assert time.process_time() - began < 0.2
