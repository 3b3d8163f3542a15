import time

import pytest

from heliograph.sip.errors import MessageError
from heliograph.sip.headers import (
    CSeq,
    every,
    first,
    full_name,
    quote,
    read_cseq,
    read_host_port,
    read_number,
    read_tag,
    read_via,
    split_list,
    split_parameters,
    unquote,
    write_host,
)
from heliograph.sip.ways import Hop


def test_names_in_any_spelling_become_the_standards() -> None:
    assert [
        full_name(each) for each in ("v", "VIA", "call-id", "cseq", "l", "www-authenticate", "p-asserted-identity")
    ] == [
        "Via",
        "Via",
        "Call-ID",
        "CSeq",
        "Content-Length",
        "WWW-Authenticate",
        "P-Asserted-Identity",
    ]


def test_lists_are_read_across_headers_and_commas() -> None:
    headers = (("Via", "a, b"), ("Route", "<sip:x;q=1,2>"), ("Via", "c"))
    assert every(headers, "Via") == ["a", "b", "c"]
    assert every(headers, "Route") == ["<sip:x;q=1,2>"]
    assert (first(headers, "Via"), first(headers, "To")) == ("a, b", None)


def test_commas_and_semicolons_in_quotes_and_brackets_separate_nothing() -> None:
    assert split_list('"a, \\"b" <sip:x,y>, z') == ['"a, \\"b" <sip:x,y>', "z"]
    assert split_parameters('"a;b" <sip:x;lr>;tag=1;Bare;q="2;3"') == (
        '"a;b" <sip:x;lr>',
        {"tag": "1", "bare": None, "q": "2;3"},
    )


def test_of_a_parameter_that_stands_twice_the_first_counts() -> None:
    assert split_parameters("x;a=1;a=2")[1] == {"a": "1"}


def test_quotes_go_on_and_off() -> None:
    assert unquote(quote('a "b" \\c')) == 'a "b" \\c'
    assert unquote("plain") == "plain"


@pytest.mark.parametrize("text", ['"' + '\\"' * 4_000, "<" * 8_000, '"' * 8_001, "\\" * 8_000, " " * 8_000])
def test_what_is_never_closed_takes_no_longer(text: str) -> None:
    began = time.process_time()
    split_list(text)
    split_parameters(text)
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize(
    ("text", "read"),
    [("a.b:5", ("a.b", 5)), ("[::1]", ("::1", None)), ("[::1]:9", ("::1", 9)), ("h : 70", ("h", 70))],
)
def test_hosts(text: str, read: tuple[str, int | None]) -> None:
    assert read_host_port(text) == read


@pytest.mark.parametrize("text", ["", "a b", "h:0", "h:65536", "h:-1", "[::1", "a@b", "h:x"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(MessageError):
        read_host_port(text)


def test_ipv6_is_written_in_brackets() -> None:
    assert (write_host("::1"), write_host("h")) == ("[::1]", "h")


def test_via_with_blanks_everywhere() -> None:
    via = read_via("SIP  / 2.0  / UDP  192.0.2.2 ; branch = z9hG4bK390skdjuw")
    assert (via.transport, via.host, via.port, via.branch) == ("UDP", "192.0.2.2", None, "z9hG4bK390skdjuw")


@pytest.mark.parametrize(
    ("parameters", "hop"),
    [
        ("", Hop("h", 5070)),
        (";received=192.0.2.9", Hop("192.0.2.9", 5070)),
        (";received=192.0.2.9;rport=7", Hop("192.0.2.9", 7)),
        (";rport", Hop("h", 5070)),
        (";received=192.0.2.9;rport=99999", Hop("192.0.2.9", 5070)),
        (";received=192.0.2.9;rport=x", Hop("192.0.2.9", 5070)),
    ],
)
def test_answers_go_where_via_says(parameters: str, hop: Hop) -> None:
    assert read_via(f"SIP/2.0/UDP h:5070{parameters}").answer_hop == hop


def test_an_answer_goes_to_5060_when_nothing_is_said() -> None:
    assert read_via("SIP/2.0/UDP h").answer_hop == Hop("h", 5060)


def test_a_via_that_cannot_be_read() -> None:
    with pytest.raises(MessageError, match="Via"):
        read_via("HTTP/1.1 h")


def test_cseq_in_bounds() -> None:
    assert read_cseq(" 0009  INVITE ") == CSeq(9, "INVITE")
    for text in ("", "x INVITE", "36893488147419103232 REGISTER", "2147483648 BYE", "1", "1 A B"):
        with pytest.raises(MessageError):
            read_cseq(text)


def test_the_tag_is_the_headers_not_the_addresss() -> None:
    assert read_tag('"x;tag=1" <sip:a;tag=2>;tag=3') == "3"
    assert read_tag("<sip:a;tag=2>") == ""


def test_numbers_in_front_of_other_things() -> None:
    assert read_number("18000;duration=3600", most=86_400) == 18_000
    assert read_number("99999999", most=86_400) == 86_400
    assert (read_number("soon", most=1), read_number(None, most=1)) == (None, None)
