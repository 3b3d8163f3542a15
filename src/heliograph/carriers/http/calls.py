"""What a carrier tells us: receipts and incoming messages, in a call or in an answer to one of ours. Pure, total."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from heliograph.carriers.http.lookups import Said, holds, items_in, texts_in, value_in
from heliograph.carriers.http.recipe import ANY, Coming, Reader, Receipts
from heliograph.carriers.http.templates import Values
from heliograph.core.messages import MOST_MEDIA
from heliograph.core.receipts import Receipt, match_key
from heliograph.gsm.segments import Encoding
from heliograph.gsm.udh import Concatenation, concatenation_header
from heliograph.pipeline.ports import Incoming

MOST_ITEMS: Final = 10_000
"""Of one list."""

_MOST_ERROR_CHARS: Final = 100
_MOST_ID_CHARS: Final = 200


class Arrived(NamedTuple):
    """A message from a handset, and where its files are."""

    incoming: Incoming
    media: tuple[str, ...] = ()


class Read(NamedTuple):
    """What one call told. odd: how many things in it could not be understood."""

    receipts: list[Receipt]
    arrived: list[Arrived]
    status: int
    text: str
    odd: int


def read(said: Said, readers: Sequence[Reader], values: Values) -> Read:
    """Read a call by the first reader whose conditions hold; with none of them, it tells nothing.

    values: `numbers`, ours at the carrier.
    """
    reader = next((reader for reader in readers if holds(said, reader.conditions, values)), None)
    if reader is None:
        return Read([], [], 200, "", 1)
    receipts: list[Receipt] = []
    arrived: list[Arrived] = []
    odd = 0
    for place, item in enumerate(items_in(said, reader.each)[:MOST_ITEMS]):
        said.item = item
        found = (
            receipt_in(said, reader.reads, values)
            if isinstance(reader.reads, Receipts)
            else arrived_in(said, reader.reads, values, place=place)
        )
        if isinstance(found, Receipt):
            receipts.append(found)
        elif found is not None:
            arrived.append(found)
        else:
            odd += 1
    return Read(receipts, arrived, reader.status, reader.text, odd)


def receipt_in(said: Said, receipts: Receipts, values: Values) -> Receipt | None:
    """The receipt that is there; None when it names no message, or tells nothing that the recipe knows."""
    written = (value_in(said, receipts.id, values) or "").strip()
    word = (value_in(said, receipts.state, values) or "").strip()
    if not written or len(written) > _MOST_ID_CHARS:
        return None
    states = receipts.states
    if word not in states and ANY not in states:
        return None
    first, second, *_ = (*(_digits(value_in(said, each, values)) for each in receipts.addresses), "", "")
    return Receipt(
        match_key(written, is_hex=False),
        states[word] if word in states else states[ANY],
        (first, second),
        (value_in(said, receipts.error, values) or "").strip()[:_MOST_ERROR_CHARS],
    )


def arrived_in(said: Said, coming: Coming, values: Values, *, place: int = 0) -> Arrived | None:
    """The message that is there; None when nobody sent it. place: in the list of one call."""
    sender = _digits(value_in(said, coming.sender, values))
    if not sender:
        return None
    numbers = values["numbers"]
    recipient = _digits(value_in(said, coming.recipient, values)) or (numbers[0] if numbers else "")
    media = tuple(texts_in(said, coming.media)[:MOST_MEDIA]) if coming.media else ()
    text = value_in(said, coming.text, values) or ""
    name = value_in(said, coming.id, values)
    header = b"" if name is None else _header(f"{name}\n{place}")
    return Arrived(incoming_of(sender, recipient, text, header=header), media)


def incoming_of(sender: str, recipient: str, text: str, *, header: bytes = b"") -> Incoming:
    """A whole text as it is stored."""
    octets = text.encode("utf-16-be", "replace")
    return Incoming(sender, recipient, Encoding.UCS2, header, octets, octets.decode("utf-16-be", "replace"))


def _header(name: str) -> bytes:
    """Marks a message by its name, so that it is known when it comes again: as the only segment of a long one."""
    reference = int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=2).digest(), "big")
    return concatenation_header(Concatenation(reference=reference, total=1, number=1, wide=True))


def _digits(written: str | None) -> str:
    """An address without what people put into it; a name stays as it is."""
    return (written or "").strip().removeprefix("+")[:_MOST_ID_CHARS]
