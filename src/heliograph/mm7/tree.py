"""XML as a tree of elements, read without trust.

A document type, an entity, a processing instruction, or more than the bounds allow, ends the reading: nothing of MM7
needs them, and they are what attacks on readers of XML are made of. Names lose their prefixes, since every peer has a
namespace of its own; that of an element is kept beside its name.
Source: XML 1.0 §2.2 (characters), §2.8; SOAP 1.1 §3 forbids document types and processing instructions.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from heliograph.mm7.errors import NotReadable

MOST_OCTETS: Final = 256 * 1024
MOST_DEPTH: Final = 24
MOST_ELEMENTS: Final = 4_000

_SPACE: Final = " "
_DECLARED_WIDE: Final = re.compile(rb"""^<\?xml[^>]{0,80}encoding\s*=\s*["']utf-?16["']""", re.IGNORECASE)
_NO_CHARACTERS: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Element:
    """An element: its name and namespace, attributes by name without prefix, elements inside, and its own text."""

    name: str
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: "list[Element]" = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text that stands directly inside, without blanks around it."""
        return "".join(self.written).strip()

    def child(self, name: str) -> "Element | None":
        """The first element inside that is named so."""
        return next((each for each in self.children if each.name == name), None)

    def text_of(self, name: str) -> str:
        """The text of that child; "" without one."""
        found = self.child(name)
        return "" if found is None else found.text


def parse(document: bytes) -> Element:
    """Read a document; raises NotReadable.

    >>> parse(b'<a xmlns="urn:x"><b c="1"> hello </b></a>').children[0].text
    'hello'
    """
    if len(document) > MOST_OCTETS:
        raise NotReadable(f"the XML has more than {MOST_OCTETS // 1024} KiB")
    # Some peers declare UTF-16 and write octets: what they were made from, and not what they are.
    parser = expat.ParserCreate("utf-8" if _DECLARED_WIDE.match(document) else None, namespace_separator=_SPACE)
    builder = _Builder()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.EntityDeclHandler = _no_entity
    parser.ProcessingInstructionHandler = _no_instruction
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise NotReadable(f"not well-formed XML: {expat.ErrorString(error.code)}") from None
    except NotReadable:
        raise
    except (ValueError, LookupError) as error:  # an encoding that is none, or has characters of several octets
        raise NotReadable("the XML is in an encoding that is not read") from error
    if builder.root is None:
        raise NotReadable("the XML has no element")
    return builder.root


class _Builder:
    """Puts together what the parser calls out."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS or len(self._open) >= MOST_DEPTH:
            raise NotReadable("the XML has too many elements, or too deep ones")
        namespace, _, local = name.rpartition(_SPACE)
        element = Element(local, namespace, {key.rpartition(_SPACE)[2]: value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        if self._open:
            self._open[-1].written.append(text)


def _no_doctype(*_declared: object) -> NoReturn:
    raise NotReadable("the XML has a document type")


def _no_entity(*_declared: object) -> NoReturn:
    raise NotReadable("the XML declares an entity")


def _no_instruction(*_declared: object) -> NoReturn:
    raise NotReadable("the XML has a processing instruction")


def escaped(text: str) -> str:
    """Text as it stands inside an element or an attribute; what XML has no way to write becomes U+FFFD.

    >>> escaped('1 < 2 & "3"\\x00')
    '1 &lt; 2 &amp; &quot;3&quot;\\ufffd'
    """
    plain = _NO_CHARACTERS.sub("\ufffd", text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
