"""An envelope and its content in one HTTP message, both ways.

The content is a multipart of its own inside; what it is called there, `cid:`, is the only address that is followed.
Source: TS 23.140 §8.7.1 and its examples; SOAP Messages with Attachments §3; RFC 2392.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from heliograph.mm7 import multipart, smil
from heliograph.mm7.codec import decode
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.headers import content_id_from, content_type_from
from heliograph.mm7.messages import Content, DeliverReq, Envelope, SubmitReq
from heliograph.mm7.multipart import Body, Part

ENVELOPE_TYPE: Final = 'text/xml; charset="utf-8"'
ENVELOPE_ID: Final = "envelope"
CONTENT_ID: Final = "content"

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Packed(NamedTuple):
    """What came: the envelope, and the files of its content, however deep they stood."""

    envelope: Envelope
    files: tuple[Part, ...] = ()


def pack(envelope: bytes, files: Sequence[Part], *, boundary: str, is_binary: bool = False) -> Body:
    """An envelope whose message names its content `cid:content`, with the files and a presentation of them.

    boundary: a few letters and digits that are in no other message.
    """
    names = [(each.name, each.media_type) for each in files]
    presentation = Part(smil.presentation(names), f'{smil.MEDIA_TYPE}; charset="utf-8"', "presentation", "smil.xml")
    content = multipart.written(
        [presentation, *files],
        kind="related",
        boundary=f"content-{boundary}",
        extra=f'; type="{smil.MEDIA_TYPE}"; start="<{presentation.content_id}>"',
        is_binary=is_binary,
    )
    return multipart.written(
        [Part(envelope, ENVELOPE_TYPE, ENVELOPE_ID), Part(content.octets, content.content_type, CONTENT_ID)],
        kind="related",
        boundary=boundary,
        extra=f'; type="text/xml"; start="<{ENVELOPE_ID}>"',
        is_binary=is_binary,
    )


def unpack(content_type: str, octets: bytes) -> Packed:
    """Read an HTTP message: an envelope alone, or with content. Raises NotReadable."""
    declared = content_type_from(content_type)
    if not declared.media_type.startswith("multipart/"):
        envelope = decode(octets)
        if _href_of(envelope):
            raise NotReadable("the message names content that is not there")
        return Packed(envelope)
    parts = multipart.read(content_type, octets)
    root = _root_of(parts, content_id_from(declared.parameters.get("start", "")))
    envelope = decode(root.content)
    return Packed(envelope, tuple(_leaves(_content_of(envelope, [each for each in parts if each is not root]))))


def _root_of(parts: tuple[Part, ...], start: str) -> Part:
    """The part with the envelope: the one that `start` names, else the first (RFC 2387 §3.2)."""
    named = [each for each in parts if start and each.content_id == start]
    root = named[0] if named else parts[0]
    if root.parts:
        raise NotReadable("the first part is no SOAP envelope")
    return root


def _href_of(envelope: Envelope) -> str:
    message = envelope.message
    content: Content | None = message.content if isinstance(message, SubmitReq | DeliverReq) else None
    return "" if content is None else content.href


def _content_of(envelope: Envelope, others: list[Part]) -> list[Part]:
    """What the message names as its content; all beside the envelope when it names nothing."""
    href = _href_of(envelope)
    if not href:
        return others
    scheme = _SCHEME.match(href)
    if scheme is not None and scheme[0].lower() != "cid:":
        raise NotReadable("the message names content that is elsewhere")
    wanted = content_id_from(href[4:] if scheme else href)
    found = [each for each in others if each.content_id == wanted]
    if not found:
        raise NotReadable("the message names content that is not there")
    # Some peers put the files beside each other and name the first, or their presentation.
    return found[:1] if found[0].parts else others


def _leaves(parts: Sequence[Part]) -> Iterator[Part]:
    for each in parts:
        if each.parts:
            yield from _leaves(each.parts)
        elif not _is_presentation(each):
            yield each


def _is_presentation(part: Part) -> bool:
    """Whether a part says how the others are shown, and is no file."""
    return part.media_type == smil.MEDIA_TYPE
