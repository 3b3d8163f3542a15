"""What the message centre sends by itself, as PDUs: receipts, and messages that handsets write. Pure."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from heliograph.core.fates import Fate
from heliograph.core.receipts import IdForm
from heliograph.core.states import MessageState
from heliograph.gsm import segments, udh
from heliograph.gsm.national import Language, tables_in
from heliograph.gsm.segments import Encoding
from heliograph.smpp import receipts
from heliograph.smpp.constants import DataCoding, EsmClass, Npi, RegisteredDelivery, Ton
from heliograph.smpp.constants import MessageState as WireState
from heliograph.smpp.pdus import DeliverSm, SubmitSm
from heliograph.smpp.times import receipt_time

_DELIVERY_RECEIPT: Final = int(EsmClass.DELIVERY_RECEIPT)
_MINUTE_MS: Final = 60_000
_WIRE_STATES: Final = {
    MessageState.DELIVERED: WireState.DELIVERED,
    MessageState.UNDELIVERED: WireState.UNDELIVERABLE,
    MessageState.EXPIRED: WireState.EXPIRED,
    MessageState.CANCELLED: WireState.DELETED,
}
_ENCODINGS: Final = {int(DataCoding.DEFAULT): Encoding.GSM7, int(DataCoding.UCS2): Encoding.UCS2}
_ERRORS: Final = {WireState.DELIVERED: "000", WireState.UNDELIVERABLE: "001", WireState.EXPIRED: "002"}


class Received(NamedTuple):
    """A segment that the message centre took. number: its id, before it is written down. at_ms: when."""

    number: int
    system_id: str
    pdu: SubmitSm
    fate: Fate
    at_ms: int

    @property
    def text(self) -> str:
        """What a handset with the tables of every language shows of this segment; nothing for octets that are no text.

        Raises BrokenHeader.
        """
        header, body = b"", self.pdu.short_message
        if self.pdu.esm_class & EsmClass.UDHI:
            header, body = udh.split_udh(body)
        encoding = _ENCODINGS.get(self.pdu.data_coding, Encoding.BINARY)
        return "" if encoding is Encoding.BINARY else segments.join((body,), encoding, tables=tables_in(header))


def answered_id(number: int, form: IdForm) -> str:
    """The id as the answer to the submit has it."""
    return f"{number}" if form is IdForm.HEX_IN_RECEIPT else f"{number:x}"


def receipted_id(number: int, form: IdForm) -> str:
    """The id as the receipt has it."""
    return f"{number}" if form is IdForm.HEX_IN_ANSWER else f"{number:x}"


def number_from(answered: str, form: IdForm) -> int | None:
    """The number of an id that a customer shows us; None when it is no id of ours."""
    try:
        return int(answered, 10 if form is IdForm.HEX_IN_RECEIPT else 16)
    except ValueError:
        return None


def wants_receipt(pdu: SubmitSm, end: MessageState | None) -> bool:
    """Whether a message that ends so is to be reported (SMPP 3.4 §5.2.17, and 5.0 for the last)."""
    match pdu.registered_delivery & 0x03:
        case RegisteredDelivery.ON_SUCCESS_OR_FAILURE:
            return end is not None
        case RegisteredDelivery.ON_FAILURE:
            return end is not None and end is not MessageState.DELIVERED
        case RegisteredDelivery.ON_SUCCESS:
            return end is MessageState.DELIVERED
        case _:
            return False


def wire_state(end: MessageState | None) -> WireState:
    """How an end is written; a message without one is on its way."""
    return WireState.ENROUTE if end is None else _WIRE_STATES[end]


def receipt_of(received: Received, end: MessageState, *, form: IdForm, now_ms: int) -> DeliverSm:
    """The report that a segment came to its end: from its recipient to its sender, with text and parameters."""
    number, _, pdu, _, at_ms = received
    state = _WIRE_STATES[end]
    message_id = receipted_id(number, form)
    text = receipts.format_receipt(
        message_id,
        state,
        submit_date=_date(at_ms // _MINUTE_MS),
        done_date=_date(now_ms // _MINUTE_MS),
        error=_ERRORS.get(state, "000"),
    )
    return DeliverSm(
        source_addr_ton=pdu.dest_addr_ton,
        source_addr_npi=pdu.dest_addr_npi,
        source_addr=pdu.destination_addr,
        dest_addr_ton=pdu.source_addr_ton,
        dest_addr_npi=pdu.source_addr_npi,
        destination_addr=pdu.source_addr,
        esm_class=_DELIVERY_RECEIPT,
        short_message=text,
        tlvs=receipts.receipt_tlvs(message_id, state),
    )


def messages_from(
    sender: str, recipient: str, text: str, *, reference: int, language: Language = Language.NONE
) -> list[DeliverSm]:
    """A message that a handset writes, cut as a handset cuts it. sender, recipient: digits or as the sender was.

    reference: 0 to 255; a handset counts them. language: whose tables it has. Raises what `gsm.segments.split` does.
    """
    encoding, cut = segments.split(text, reference=reference, language=language)
    return [
        DeliverSm(
            source_addr_ton=Ton.INTERNATIONAL,
            source_addr_npi=Npi.ISDN,
            source_addr=sender,
            dest_addr_ton=Ton.UNKNOWN,
            dest_addr_npi=Npi.ISDN,
            destination_addr=recipient,
            esm_class=EsmClass.UDHI if segment.udh else 0,
            data_coding=DataCoding.UCS2 if encoding is Encoding.UCS2 else DataCoding.DEFAULT,
            short_message=segment.payload,
        )
        for segment in cut
    ]


def reply_to(received: Received) -> list[DeliverSm]:
    """What the recipient of a segment writes back; the segments of a long reply overtake each other."""
    pdu, text = received.pdu, received.fate.reply
    if text is None:
        return []
    # The id counts milliseconds above its low bits.
    reference = (received.number >> 12) + received.number & 0xFF
    return messages_from(pdu.destination_addr, pdu.source_addr, text, reference=reference)[::-1]


@lru_cache(maxsize=64)
def _date(minute: int) -> str:
    return receipt_time(datetime.fromtimestamp(minute * 60, UTC))
