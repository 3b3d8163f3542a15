"""Delivery receipts: read from deliver_sm and data_sm, written for deliver_sm.

Rules
- What is a receipt is said by esm_class, under the mask 0x3C (clause 5.2.12). Text alone never makes one: any handset
  can send "id:1 stat:DELIVRD". Acknowledgements by a handset (0x08, 0x10, 0x18) carry the text of a person, so only
  their optional parameters are believed.
- Optional parameters win over text; each is believed alone, since peers send one and forget another.
- The text is what Appendix B calls a typical example, and peers vary it: key case, "submitdate", missing keys, dates of
  10, 12 or 16 characters, cut or foreign state words. It is read from left to right and ends at "text:", which
  may quote anything. The usual layout has a quick way.
- Reading never raises. What is not said stays empty or UNSTATED; without any id there is no receipt.
"""

import re
from typing import Final, Literal, NamedTuple, TypeAlias

from heliograph.smpp.constants import ESM_TYPE_MASK, DataCoding, EsmClass, MessageState, Tag
from heliograph.smpp.pdus import DataSm, DeliverSm, Tlvs, tlv

UNSTATED: Final = -1
"""The state of a receipt that names none we know."""

_RECEIPT: Final = int(EsmClass.DELIVERY_RECEIPT)
_TEXT_KINDS: Final = frozenset({EsmClass.DELIVERY_RECEIPT, EsmClass.INTERMEDIATE_NOTIFICATION})
_KINDS: Final = _TEXT_KINDS | {
    EsmClass.DELIVERY_ACKNOWLEDGEMENT,
    EsmClass.USER_ACKNOWLEDGEMENT,
    EsmClass.CONVERSATION_ABORT,
}
_UDHI: Final = int(EsmClass.UDHI)
_UCS2: Final = int(DataCoding.UCS2)
_RECEIPTED_MESSAGE_ID: Final = int(Tag.RECEIPTED_MESSAGE_ID)
_MESSAGE_STATE: Final = int(Tag.MESSAGE_STATE)
_NETWORK_ERROR_CODE: Final = int(Tag.NETWORK_ERROR_CODE)
_LONGEST_TEXT: Final = 1024
_LONGEST_ID: Final = 64

_FINAL: Final = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.EXPIRED,
        MessageState.DELETED,
        MessageState.UNDELIVERABLE,
        MessageState.UNKNOWN,
        MessageState.REJECTED,
        MessageState.SKIPPED,
    }
)
_WORDS: Final = {
    MessageState.SCHEDULED: "SCHEDLD",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
    MessageState.SKIPPED: "SKIPPED",
}
_STATES: Final = {word.encode("ascii"): int(state) for state, word in _WORDS.items()}
# The fewest letters that tell a word from the others. "DEL" would fit two. FAILED, NACK, ACKED, BUFFRED and BUFFERD are
# seen in place of the standard's words.
_STEMS: Final = (
    (b"DELIV", MessageState.DELIVERED),
    (b"UNDEL", MessageState.UNDELIVERABLE),
    (b"FAIL", MessageState.UNDELIVERABLE),
    (b"EXP", MessageState.EXPIRED),
    (b"REJ", MessageState.REJECTED),
    (b"NACK", MessageState.REJECTED),
    (b"ACC", MessageState.ACCEPTED),
    (b"ACK", MessageState.ACCEPTED),
    (b"ENR", MessageState.ENROUTE),
    (b"BUF", MessageState.ENROUTE),
    (b"DELET", MessageState.DELETED),
    (b"UNK", MessageState.UNKNOWN),
    (b"SCHED", MessageState.SCHEDULED),
    (b"SKIP", MessageState.SKIPPED),
)

_APPENDIX_B: Final = re.compile(
    rb"id:([!-~]{1,64}) sub:\d* dlvrd:\d* submit date:\d* done date:(\d*) stat:([A-Z]{7}) err:([!-~]*)(?: [Tt]ext:|$)"
)
_KEY: Final = re.compile(rb"(?:^|[\s,;])(id|sub|dlvrd|submit\s?date|done\s?date|stat|err|text)\s?:", re.IGNORECASE)


class Receipt(NamedTuple):
    """What a receipt says of one message.

    message_id: as the carrier wrote it, never empty; match with `normalise_message_id`.
    state: a value of message_state (clause 5.2.28), or UNSTATED.
    error: the network's or carrier's own code, no command_status; "" when none was given. From network_error_code it is
    the code in decimal, three digits at least, without the network type.
    done_date: raw; see `times.parse_receipt_time`.
    final: a delivery receipt whose state is an end. UNKNOWN counts as one, yet a later receipt may correct it.
    kind: the type bits of esm_class.
    """

    message_id: str
    state: int
    error: str = ""
    done_date: str = ""
    final: bool = False
    kind: int = _RECEIPT


class _Said(NamedTuple):
    """What the text of a receipt says."""

    message_id: bytes = b""
    state: int = UNSTATED
    error: bytes = b""
    done_date: bytes = b""


_SILENT: Final = _Said()


def parse_receipt(pdu: DeliverSm | DataSm, *, sniff_text: bool = False) -> Receipt | None:
    """The receipt in this PDU; None when it is none or when no message_id can be found.

    sniff_text: believe a PDU without type bits too when it names both an id and a state. It lets every handset forge
    receipts; only for carriers that never set the bits.
    """
    kind = pdu.esm_class & ESM_TYPE_MASK
    sniffing = sniff_text and not kind
    if kind not in _KINDS and not sniffing:
        return None
    said = _read_text(pdu) if sniffing or kind in _TEXT_KINDS else _SILENT
    message_id = said.message_id.decode("latin-1")
    state = said.state
    error = said.error.decode("latin-1")
    if pdu.tlvs:
        message_id = _id_from(pdu.tlvs) or message_id
        state = _state_from(pdu.tlvs, state)
        error = _error_from(pdu.tlvs) or error
    if not message_id or (sniffing and state == UNSTATED):
        return None
    if sniffing:
        kind = _RECEIPT
    return Receipt(
        message_id, state, error, said.done_date.decode("latin-1"), kind == _RECEIPT and state in _FINAL, kind
    )


def state_from_word(word: bytes) -> int:
    """The message_state that a word after "stat:" means, cut or misspelt ones included; UNSTATED when unsure.

    >>> int(state_from_word(b"Deliv")), state_from_word(b"DEL")
    (2, -1)
    """
    upper = word.upper()
    for stem, state in _STEMS:
        if upper.startswith(stem):
            return int(state)
    return UNSTATED


def format_receipt(
    message_id: str,
    state: int,
    *,
    submit_date: str,
    done_date: str,
    error: str = "000",
    text: bytes = b"",
) -> bytes:
    """The text of a receipt in the layout of Appendix B, for short_message.

    submit_date, done_date: see `times.receipt_time`. text: the start of the message; 20 octets of it are kept.

    >>> format_receipt("7", 2, submit_date="2611231405", done_date="2611231406")
    b'id:7 sub:001 dlvrd:001 submit date:2611231405 done date:2611231406 stat:DELIVRD err:000 text:'
    """
    delivered = "001" if state == MessageState.DELIVERED else "000"
    word = _WORDS[MessageState(state)]
    head = (
        f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{submit_date} done date:{done_date}"
        f" stat:{word} err:{error} text:"
    )
    return head.encode("latin-1") + text[:20]


def receipt_tlvs(message_id: str, state: int) -> Tlvs:
    """receipted_message_id and message_state, to go with `format_receipt` to peers of version 3.4."""
    return (_RECEIPTED_MESSAGE_ID, message_id.encode("latin-1") + b"\0"), (_MESSAGE_STATE, bytes((state,)))


IdBase: TypeAlias = Literal["as_is", "hex_to_decimal", "decimal_to_hex"]


def normalise_message_id(message_id: str, *, base: IdBase = "as_is") -> str:
    """The key under which the id of a response and the id of its receipt are equal.

    Case, hyphens, surrounding space and leading zeros are dropped, each because a carrier's receipts differ in it.
    base: for the side whose digits must be converted to agree with the other; an id that is no number, or too long
    for one, is left as it is. Digits alone do not tell the base, so the carrier's settings must.

    >>> normalise_message_id("00B8-be19"), normalise_message_id("0x1F", base="hex_to_decimal")
    ('b8be19', '31')
    """
    key = message_id.strip().lower().replace("-", "")
    if base != "as_is" and len(key) <= _LONGEST_ID:
        key = _converted(key, base)
    return key.lstrip("0") or key[:1]


def _converted(key: str, base: IdBase) -> str:
    if base == "hex_to_decimal":
        digits = key.removeprefix("0x")
        return str(int(digits, 16)) if digits and not digits.strip("0123456789abcdef") else key
    return f"{int(key):x}" if key and not key.strip("0123456789") else key


def _read_text(pdu: DeliverSm | DataSm) -> _Said:
    if isinstance(pdu, DeliverSm):
        text = pdu.short_message
    else:
        text = tlv(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b""
    if not text:
        return _SILENT
    if pdu.esm_class & _UDHI:
        text = text[1 + text[0] :]
    usual = _APPENDIX_B.match(text)
    if usual is not None:
        message_id, done_date, word, error = usual.groups()
        state = _STATES.get(word)
        return _Said(message_id, state_from_word(word) if state is None else state, error, done_date)
    text = text[:_LONGEST_TEXT]
    if pdu.data_coding == _UCS2:
        text = text.decode("utf-16-be", "replace").encode("latin-1", "replace")
    return _read_keys(text)


def _read_keys(text: bytes) -> _Said:
    """Any order, any subset of the keys; the first of each counts."""
    values: dict[bytes, bytes] = {}
    key, start = b"", 0
    for match in _KEY.finditer(text):
        if key:
            values.setdefault(key, text[start : match.start()])
        key, start = re.sub(rb"\s", b"", match[1].lower()), match.end()
        if key == b"text":
            break
    else:
        if key:
            values.setdefault(key, text[start:])
    return _Said(
        _first_word(values.get(b"id", b"")),
        state_from_word(_first_word(values.get(b"stat", b""))),
        _first_word(values.get(b"err", b"")),
        _first_word(values.get(b"donedate", b"")),
    )


def _first_word(value: bytes) -> bytes:
    words = value.strip(b"\0 \t\r\n,;").split(None, 1)
    return words[0] if words else b""


def _id_from(tlvs: Tlvs) -> str:
    value = tlv(tlvs, _RECEIPTED_MESSAGE_ID)
    return "" if value is None else value.split(b"\0", 1)[0].decode("latin-1").strip()


def _state_from(tlvs: Tlvs, otherwise: int) -> int:
    value = tlv(tlvs, _MESSAGE_STATE)
    return value[0] if value and value[0] in _WORDS else otherwise


def _error_from(tlvs: Tlvs) -> str:
    """network_error_code: one octet of network type, two of code (clause 5.3.2.31)."""
    value = tlv(tlvs, _NETWORK_ERROR_CODE)
    return f"{int.from_bytes(value[1:], 'big'):03d}" if value is not None and len(value) == 3 else ""
