import pytest

from heliograph.mm7.errors import NotReadable
from heliograph.mm7.headers import ContentType, content_id_from, content_type_from, headers_from, parameter_of


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("image/PNG", ContentType("image/png", {})),
        (" text/plain ; charset = UTF-8 ", ContentType("text/plain", {"charset": "UTF-8"})),
        ('a/b;Boundary="=_x \\"y\\\\"', ContentType("a/b", {"boundary": '=_x "y\\'})),
        ("a/b; c=1; C=2", ContentType("a/b", {"c": "1"})),
        ("a/b; c=; d=2", ContentType("a/b", {"c": "", "d": "2"})),
        ("a/b; nonsense; c=1", ContentType("a/b", {})),
        ("", ContentType("application/octet-stream", {})),
        ("image", ContentType("application/octet-stream", {})),
        ("<script>/x", ContentType("application/octet-stream", {})),
    ],
)
def test_content_types_as_they_are_written(written: str, expected: ContentType) -> None:
    assert content_type_from(written) == expected


def test_a_parameter_of_another_header() -> None:
    assert parameter_of('attachment; filename="a; b.png"', "filename") == "a; b.png"
    assert parameter_of("attachment", "filename") == ""


def test_lines_are_unfolded_and_the_first_of_a_name_counts() -> None:
    assert headers_from(b"A: 1\r\n  2\nb:3\r\na: 4\r\nnonsense") == {"a": "1 2", "b": "3"}


@pytest.mark.parametrize("lines", [b"a:1\r\n" * 100, b"a:" + b"x" * 20_000])
def test_too_many_lines_or_octets_are_refused(lines: bytes) -> None:
    with pytest.raises(NotReadable):
        headers_from(lines)


@pytest.mark.parametrize("written", ["<a b%4c>", "a bL", " <a%20bL> "])
def test_a_content_id_is_the_same_however_it_is_written(written: str) -> None:
    assert content_id_from(written) == "a bL"


def test_a_quoted_parameter_that_never_ends_takes_no_time() -> None:
    assert content_type_from('a/b; c="' + "\\" * 200_001).media_type == "a/b"
