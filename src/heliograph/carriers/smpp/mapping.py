"""Between our words and the standard's: parcels become submit_sm, deliver_sm becomes a receipt or an incoming message.

Pure, and the hot path of every message: a dictionary look-up for a submit, one parse for a receipt. Where a carrier
writes an id in two ways, only its receipts are respelt: the id in the answer to a submit is reported as it was written.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Final, NamedTuple

from heliograph.carriers.smpp.profile import Profile
from heliograph.core.messages import Parcel
from heliograph.core.numbers import sender_from
from heliograph.core.receipts import IdForm, Receipt, match_key
from heliograph.core.states import MessageState
from heliograph.gsm import udh
from heliograph.gsm.national import NO_TABLES, Tables, tables_in
from heliograph.gsm.segments import Encoding, join
from heliograph.pipeline.ports import Incoming
from heliograph.smpp import receipts as wire
from heliograph.smpp.constants import (
    ESM_TYPE_MASK,
    DataCoding,
    EsmClass,
    Npi,
    RegisteredDelivery,
    Tag,
    Ton,
)
from heliograph.smpp.constants import MessageState as WireState
from heliograph.smpp.pdus import DataSm, DeliverSm, SubmitSm, tlv
from heliograph.smpp.template import SubmitTemplate
from heliograph.smpp.times import relative_time

_MOST_TEMPLATES: Final = 4096
_UDHI: Final = int(EsmClass.UDHI)
_TYPE: Final = int(ESM_TYPE_MASK)

# Of the vendors' range: the carriers of India want to know who registered the sender, and which content template a
# text follows, as octet strings without a NUL.
_ENTITY_ID: Final = 0x1400
_TEMPLATE_ID: Final = 0x1401

_DATA_CODINGS: Final = {
    Encoding.GSM7: DataCoding.DEFAULT,
    Encoding.UCS2: DataCoding.UCS2,
    Encoding.BINARY: DataCoding.OCTETS_8,
}

# ENROUTE, ACCEPTED and SCHEDULED are news on the way. DELETED: someone at the carrier took it back; it never arrived.
_ENDS: Final = {
    int(WireState.DELIVERED): MessageState.DELIVERED,
    int(WireState.EXPIRED): MessageState.EXPIRED,
    int(WireState.DELETED): MessageState.UNDELIVERED,
    int(WireState.UNDELIVERABLE): MessageState.UNDELIVERED,
    int(WireState.UNKNOWN): MessageState.UNKNOWN,
    int(WireState.REJECTED): MessageState.REJECTED,
    int(WireState.SKIPPED): MessageState.UNDELIVERED,
}


class UnusableSender(ValueError):
    """The sender cannot be written in a source_addr."""


class Submit(NamedTuple):
    """What the session is given for one segment."""

    template: SubmitTemplate
    destination_addr: bytes
    short_message: bytes


class Submits:
    """Turns parcels into submits for one carrier; what they have in common is built once and kept."""

    __slots__ = ("_entity_id", "_service_type", "_templates", "_validity_period")

    def __init__(self, profile: Profile) -> None:
        self._service_type = profile.service_type
        self._validity_period = relative_time(timedelta(seconds=profile.validity_s)) if profile.validity_s else ""
        self._entity_id = profile.entity_id
        self._templates: dict[tuple[str, bool, Encoding, str], SubmitTemplate] = {}

    def submit_from(self, parcel: Parcel) -> Submit:
        """The submit of one segment; raises UnusableSender."""
        message, index = parcel
        _, sender, _, encoding, segments, _, _, (template_id, _, _, _) = message.content
        header, body = segments[index]
        has_udh = header != b""
        template = self._templates.get((sender, has_udh, encoding, template_id))
        if template is None:
            template = self._template(sender, has_udh, encoding, template_id)
        return Submit(template, message.recipient[1:].encode("ascii"), header + body if has_udh else body)

    def _template(self, sender: str, has_udh: bool, encoding: Encoding, template_id: str) -> SubmitTemplate:
        if len(self._templates) >= _MOST_TEMPLATES:
            self._templates.clear()
        ids = ((_ENTITY_ID, self._entity_id), (_TEMPLATE_ID, template_id))
        template = self._templates[sender, has_udh, encoding, template_id] = SubmitTemplate(
            _pattern(sender)._replace(
                service_type=self._service_type,
                esm_class=_UDHI if has_udh else 0,
                validity_period=self._validity_period,
                data_coding=_DATA_CODINGS[encoding],
                tlvs=tuple((tag, written.encode("ascii")) for tag, written in ids if written),
            )
        )
        return template


def _pattern(written: str) -> SubmitSm:
    sender = sender_from(written)
    if sender is None:
        raise UnusableSender(f"{written!r} is no sender")
    try:
        # TS 23.040 has septets here; in SMPP the peers read ASCII, or Latin-1 where they read more.
        sender.address.encode("latin-1")
    except UnicodeEncodeError:
        raise UnusableSender(f"{written!r} has characters that SMPP cannot carry in a sender") from None
    return SubmitSm(
        source_addr_ton=sender.ton,
        source_addr_npi=sender.npi,
        source_addr=sender.address,
        dest_addr_ton=Ton.INTERNATIONAL,
        dest_addr_npi=Npi.ISDN,
        registered_delivery=RegisteredDelivery.ON_SUCCESS_OR_FAILURE,
    )


def is_receipt(pdu: DeliverSm | DataSm) -> bool:
    """Whether esm_class says that this is a report of some kind and no message from a handset."""
    return pdu.esm_class & _TYPE != 0


def receipt_from(pdu: DeliverSm | DataSm, profile: Profile) -> Receipt | None:
    """A report in our words; None when it is none, or names no message.

    A report that is not final (an intermediate notification, a handset's acknowledgement) has no state.
    """
    said = wire.parse_receipt(pdu, sniff_text=profile.sniffs_text)
    if said is None:
        return None
    message_id, state, error, _, is_final, _ = said
    return Receipt(
        key_of(message_id, profile.id_form),
        _ENDS.get(state) if is_final else None,
        (_digits(pdu.source_addr), _digits(pdu.destination_addr)),
        error,
    )


def key_of(receipted_id: str, form: IdForm) -> str:
    """The match key that a receipt's id shares with `match_key(answered_id, is_hex=False)`.

    >>> key_of("31", IdForm.HEX_IN_ANSWER), key_of("1F", IdForm.HEX_IN_RECEIPT), key_of("00AB", IdForm.AS_IS)
    ('1f', '31', 'ab')
    """
    if form is IdForm.AS_IS:
        return match_key(receipted_id, is_hex=False)
    if form is IdForm.HEX_IN_RECEIPT:
        return match_key(receipted_id, is_hex=True)
    return wire.normalise_message_id(receipted_id, base="decimal_to_hex")


def incoming_from(pdu: DeliverSm | DataSm) -> Incoming:
    """A message from a handset. Never fails: a header that contradicts itself is taken for text.

    A body in another alphabet than GSM7 becomes UCS2, which loses nothing, and so does one in the tables of a language:
    what is stored is read without its header. An alphabet we do not know, or octets that are no text, stay as they are.
    """
    payload = pdu.short_message if isinstance(pdu, DeliverSm) else tlv(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b""
    header = b""
    if pdu.esm_class & _UDHI:
        with suppress(udh.BrokenHeader):
            header, payload = udh.split_udh(payload)
    tables = tables_in(header)
    if not _joins(header):
        header = _concatenation_from_tlvs(pdu) or header
    encoding, body, text = _decoded(payload, pdu.data_coding, tables)
    return Incoming(_digits(pdu.source_addr), _digits(pdu.destination_addr), encoding, header, body, text)


def _joins(header: bytes) -> bool:
    try:
        return header != b"" and udh.concatenation_of(header) is not None
    except udh.BrokenHeader:
        return False


def _digits(address: str) -> str:
    return address.strip().removeprefix("+")


def _concatenation_from_tlvs(pdu: DeliverSm | DataSm) -> bytes:
    """The sar_ parameters as the user data header that they stand for (SMPP 3.4 §5.3.2.22 to 24); empty when absent."""
    if not pdu.tlvs:
        return b""
    reference, total, number = (
        tlv(pdu.tlvs, tag) for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    if not reference or not total or not number:
        return b""
    try:
        return udh.concatenation_header(
            udh.Concatenation(
                reference=int.from_bytes(reference, "big"),
                total=int.from_bytes(total, "big"),
                number=int.from_bytes(number, "big"),
                wide=True,
            )
        )
    except ValueError:
        return b""


_OTHER_ALPHABETS: Final[dict[int, str]] = {
    DataCoding.IA5: "ascii",
    DataCoding.LATIN_1: "latin-1",
    DataCoding.CYRILLIC: "iso8859-5",
    DataCoding.HEBREW: "iso8859-8",
}


def _decoded(octets: bytes, data_coding: int, tables: Tables) -> tuple[Encoding, bytes, str]:
    """Encoding, body and text. Source: SMPP 3.4 §5.2.19; above 0x0F the groups of 3GPP TS 23.038 §4."""
    other = _OTHER_ALPHABETS.get(data_coding) if data_coding < 0x10 else None
    if other is not None:
        text = octets.decode(other, "replace")
        return Encoding.UCS2, text.encode("utf-16-be"), text
    encoding = _encoding_of(data_coding)
    if encoding is Encoding.GSM7 and tables != NO_TABLES:
        text = join((octets,), encoding, tables=tables)
        return Encoding.UCS2, text.encode("utf-16-be"), text
    return encoding, octets, "" if encoding is Encoding.BINARY else join((octets,), encoding)


def _encoding_of(data_coding: int) -> Encoding:
    if data_coding >= 0xF0:
        # The message class group: one bit for the alphabet, without UCS2.
        return Encoding.BINARY if data_coding & 0x04 else Encoding.GSM7
    if data_coding >= 0xE0:
        return Encoding.UCS2
    if data_coding >= 0xC0:
        return Encoding.GSM7
    # The general groups, where bits 3 and 2 are the alphabet, and SMPP's own values 0, 2, 4 and 8, which agree with it.
    if data_coding & 0x0C == 0x08 and data_coding & 0x20 == 0 and data_coding not in _MULTI_OCTET:
        return Encoding.UCS2
    if data_coding & 0x2C == 0 and data_coding != DataCoding.OCTETS:
        return Encoding.GSM7
    return Encoding.BINARY


_MULTI_OCTET: Final = frozenset(
    {DataCoding.PICTOGRAM, DataCoding.ISO_2022_JP, 0x0B},
)
