import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from heliograph.dialects.parameters import MOST_COSTLY, MOST_FIELDS, MOST_FORM, read_body, read_query, repaired

FORM = {b"content-type": b"application/x-www-form-urlencoded"}
PIECES = {b"content-type": b'multipart/form-data; boundary="b"'}


def pieces(*fields: str) -> bytes:
    return "".join(f"--b\r\nContent-Disposition: form-data; {field}\r\n" for field in fields).encode() + b"--b--\r\n"


@pytest.mark.parametrize(
    ("body", "bag"),
    [
        (b"", {}),
        (b'{"a":1,"b":["x"]}', {"a": 1, "b": ["x"]}),
        (b' \n{"a":"x","a":"y"}', {"a": "y"}),
        (b'["a"]', {}),
        (b"{body}", {}),
        (b"{" * 100_000, {}),
        (b'{"a":"\xff"}', {}),
        (b"a=1&b=%7C&c=&a=2", {"a": "2", "b": "|", "c": ""}),
        (b"a[]=1&a[x]=2&a[0]=3", {"a": ["1", "2", "3"]}),
        (b"a=1&a[]=2", {"a": "1"}),
        (b"a=%FF", {"a": "\ufffd"}),
        (b"\xff\xfe=1", {"\ufffd\ufffd": "1"}),
    ],
)
def test_bodies_are_read_for_what_they_look_like(body: bytes, bag: object) -> None:
    assert read_body({}, body) == bag
    assert read_body(FORM, body) == bag


def test_pieces_within_pieces_are_no_trouble() -> None:
    nested = b"".join(b"--%x\nContent-Type:multipart/x;boundary=%x\n\n" % (level, level + 1) for level in range(1450))
    assert read_body({b"content-type": b"multipart/form-data; boundary=0"}, nested) == {}


def test_a_form_in_pieces_is_read_without_its_files() -> None:
    assert read_body(PIECES, pieces("name=a\r\n\r\n1\r\n2")) == {"a": "1\n2"}
    body = pieces('name="a"\r\n\r\n1', 'name="b[]"\r\n\r\nÄ', 'name="f"; filename="x"\r\n\r\nno')
    assert read_body(PIECES, body) == {"a": "1", "b": ["Ä"]}


@pytest.mark.parametrize("body", [b"", b"--b", b"--b\r\n\r\n--b--", b"x" * MOST_COSTLY, b"x" * (MOST_COSTLY + 1)])
def test_a_form_in_pieces_that_is_broken_or_long_has_no_fields(body: bytes) -> None:
    assert read_body(PIECES, body) == {}


def test_a_form_that_is_very_long_is_not_read() -> None:
    assert read_body(FORM, b"a=" + b"x" * (MOST_FORM - 2)) == {"a": "x" * (MOST_FORM - 2)}
    assert read_body(FORM, b"a=" + b"x" * (MOST_FORM - 1)) == {}


def test_a_query_with_too_many_fields_is_not_read() -> None:
    assert len(read_query(b"&".join(b"a%d=1" % number for number in range(MOST_FIELDS)))) == MOST_FIELDS
    assert read_query(b"&".join(b"a%d=1" % number for number in range(MOST_FIELDS + 1))) == {}


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        (
            '{"a":"b","language=en-gb",\n"gender=female","c":1}',
            {"a": "b", "language": "en-gb", "gender": "female", "c": 1},
        ),
        ('{"t=2021-12-20 07:00"}', {"t": "2021-12-20 07:00"}),
        ('{"u=https://x.example/?a=b"}', {"u": "https://x.example/?a=b"}),
        (r'{"m":"say \"x=y\", ok","k=v"}', {"m": 'say "x=y", ok', "k": "v"}),
        ('{"m":"{\\"a=b\\",","k=v"}', {"m": '{"a=b",', "k": "v"}),
        ('{"m":"x,","n":"y=z","k=v"}', {"m": "x,", "n": "y=z", "k": "v"}),
        ('{"k=v" "l=w"}', {}),
        ('{"k=v"', {}),
        ('{"9=v"}', {}),
        ('{"a":["b","c=d","e"]}', {"a": ["b", "c=d", "e"]}),
        ('{"k=v","l', {}),
    ],
)
def test_lone_members_with_an_equals_sign_become_members(broken: str, whole: object) -> None:
    assert read_body({}, broken.encode()) == whole


@given(some.dictionaries(some.text(), some.text() | some.integers(-9, 9) | some.lists(some.text())))
def test_what_can_be_read_is_never_repaired(members: dict[str, object]) -> None:
    assert read_body({}, json.dumps(members).encode()) == members


@given(some.dictionaries(some.from_regex("[a-z_]+", fullmatch=True), some.text(), min_size=1), some.randoms())
def test_any_members_may_be_written_so(members: dict[str, str], dice: object) -> None:
    del dice
    written = ",".join(json.dumps(f"{name}={value}") for name, value in members.items())
    assert read_body({}, f"{{{written}}}".encode()) == members


@given(some.binary() | some.text('{}[]":=,\\ ab').map(str.encode), some.sampled_from([{}, FORM, PIECES]))
def test_nothing_that_is_sent_is_a_fault(body: bytes, headers: dict[bytes, bytes]) -> None:
    assert isinstance(read_body(headers, body), dict)
    assert isinstance(read_query(body), dict)


@pytest.mark.parametrize(
    "body",
    [
        b'{"' + b'\\"' * (MOST_COSTLY // 2),
        b'{"a=b",' * 9_000,
        b'"' * MOST_COSTLY,
        b"{" + b"x" * 8_000_000,
        b"%41" * 2_000_000,
    ],
    ids=["unended", "many", "quotes", "long", "percents"],
)
def test_repairing_takes_no_longer_for_being_hostile(body: bytes) -> None:
    begun = time.process_time()
    repaired(body)
    read_body(FORM, body)
    assert time.process_time() - begun < 1
