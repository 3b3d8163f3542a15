import tracemalloc

import pytest

from heliograph.mm7 import multipart
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.multipart import Part, fitting, in_base64, read, written

TYPE = "multipart/related; boundary=b"


def body(*blocks: str, end: str = "--b--\r\n") -> bytes:
    return ("".join(f"--b\r\n{block}\r\n" for block in blocks) + end).encode("latin-1")


def test_parts_with_all_their_headers() -> None:
    octets = body(
        "Content-Type: image/png; name=x.png\r\nContent-ID: <a@b>\r\n\r\nabc",
        "\r\nplain",
        'Content-Type: text/plain\r\nContent-Disposition: inline; filename="t.txt"\r\n\r\n',
        "Content-Location: l.gif\r\nContent-Type: image/gif\r\n\r\n\r\nx\r\n",
    )
    assert read(TYPE, b"a preamble\r\n" + octets + b"an epilogue") == (
        Part(b"abc", "image/png; name=x.png", "a@b", "x.png"),
        Part(b"plain", "text/plain"),
        Part(b"", "text/plain", "", "t.txt"),
        Part(b"\r\nx\r\n", "image/gif", "", "l.gif"),
    )


def test_lines_may_end_as_on_unix_and_the_boundary_may_stand_in_the_text() -> None:
    octets = b"--b\n\nx --b y\n--bc\nz\n--b \t\n\nsecond\n--b--"
    assert [each.content for each in read(TYPE, octets)] == [b"x --b y\n--bc\nz", b"second"]


@pytest.mark.parametrize(
    ("encoding", "content", "expected"),
    [
        ("base64", "aGVs\r\nbG8=", b"hello"),
        ("BASE64", "aGVsbG8=\r\n", b"hello"),
        ("quoted-printable", "h=C3=A9=\r\nllo", b"h\xc3\xa9llo"),
        ("8bit", "h\xe9", b"h\xe9"),
    ],
)
def test_transfer_encodings(encoding: str, content: str, expected: bytes) -> None:
    (part,) = read(TYPE, body(f"Content-Transfer-Encoding: {encoding}\r\n\r\n{content}"))
    assert part.content == expected


def test_a_multipart_inside() -> None:
    inner = "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n"
    (part,) = read(TYPE, body(inner))
    assert (part.media_type, part.content, [each.content for each in part.parts]) == ("multipart/mixed", b"", [b"x"])


def deep(levels: int) -> bytes:
    inside = b"\r\nx"
    for level in range(levels):
        mark = b"m%d" % level
        inside = b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n%s\r\n--%s--\r\n" % (
            mark,
            mark,
            inside,
            mark,
        )
    return b"--b\r\n" + inside + b"\r\n--b--"


@pytest.mark.parametrize(
    ("content_type", "octets"),
    [
        ("multipart/related", body("\r\nx")),
        ('multipart/related; boundary=""', body("\r\nx")),
        ("multipart/related; boundary=é", body("\r\nx")),
        ("multipart/related; boundary=" + "b" * 300, body("\r\nx")),
        ("multipart/related; boundary=other", body("\r\nx")),
        (TYPE, b""),
        (TYPE, b"--b--"),
        (TYPE, b"--b"),
        (TYPE, body("\r\nx", end="")),
        (TYPE, body("\r\nx", end="--b")),
        (TYPE, body("\r\nx")[:-5]),
        (TYPE, body("Content-Transfer-Encoding: base64\r\n\r\nabc")),
        (TYPE, body("Content-Transfer-Encoding: gzip\r\n\r\nabc")),
        (TYPE, body(*["\r\nx"] * (multipart.MOST_PARTS + 1))),
        (TYPE, body("Content-Type: multipart/mixed\r\n\r\nx")),
        (TYPE, body("a: b\r\n" * 100 + "\r\nx")),
        (TYPE, deep(multipart.MOST_DEPTH)),
        (TYPE, b"x" * (multipart.MOST_OCTETS + 1)),
    ],
)
def test_what_is_broken_cut_off_or_too_much_is_refused(content_type: str, octets: bytes) -> None:
    with pytest.raises(NotReadable):
        read(content_type, octets)


def test_as_deep_as_allowed_is_read() -> None:
    assert read(TYPE, deep(multipart.MOST_DEPTH - 1))[0].parts


@pytest.mark.parametrize("filling", [b"--b", b"--b\r\n", b"\r\n--bx", b"\n\n", b"--b--x"])
def test_a_body_made_to_take_time_takes_none_and_no_memory(filling: bytes) -> None:
    octets = filling * (4_000_000 // len(filling))
    tracemalloc.start()
    try:
        with pytest.raises(NotReadable):
            read(TYPE, octets)
        assert tracemalloc.get_traced_memory()[1] < 3 * len(octets)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("is_binary", [False, True])
def test_what_is_written_is_read_as_it_was(is_binary: bool) -> None:
    parts = (
        Part(bytes(range(256)) * 9, "image/png", "a", "a.png"),
        Part("é --x\r\n".encode(), 'text/plain; charset="utf-8"', "t", "t.txt"),
        Part(b"", "audio/amr", "e", "e.amr"),
    )
    made = written(parts, kind="related", boundary="x", extra='; start="<a>"', is_binary=is_binary)
    assert made.content_type.startswith('multipart/related; start="<a>"; boundary="x')
    assert read(made.content_type, made.octets) == parts


def test_the_boundary_grows_until_it_stands_nowhere() -> None:
    made = written([Part(b"\r\n--x\r\n--xx--", "image/png")], kind="mixed", boundary="x", is_binary=True)
    assert 'boundary="xxx"' in made.content_type
    assert read(made.content_type, made.octets)[0].content == b"\r\n--x\r\n--xx--"


def test_base64_has_lines_of_76() -> None:
    assert max(len(line) for line in in_base64(bytes(1000)).split(b"\r\n")) == 76


@pytest.mark.parametrize("octets", [78, 1_000, 99_999])
def test_what_fits_fills_no_more_than_its_room(octets: int) -> None:
    assert len(in_base64(bytes(fitting(octets, is_binary=False)))) <= octets
