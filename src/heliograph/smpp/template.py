"""submit_sm with everything built beforehand that one route and sender have in common.

A message then costs one header, one address, one text and one join. This is the hottest code of the package; its
figures stand in the README. Source: clause 4.4.1.
"""

from struct import Struct
from typing import Final

from heliograph.smpp.constants import HEADER_OCTETS, MAX_SHORT_MESSAGE, CommandId, Tag
from heliograph.smpp.errors import LocalProtocolError
from heliograph.smpp.fields import octet_from, text_from, tlvs_from
from heliograph.smpp.pdus import SubmitSm, tlv

_pack: Final = Struct(">IIII").pack
_pack_tag: Final = Struct(">HH").pack
_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)
_LENGTHS: Final = tuple(bytes((length,)) for length in range(MAX_SHORT_MESSAGE + 1))
_MAX_ADDRESS: Final = 20
_MAX_PAYLOAD: Final = 0xFFFF


class SubmitTemplate:
    """The constant octets of a submit_sm, taken from a pattern whose destination and text do not matter.

    One template serves one source, data_coding and esm_class: a long message needs one with the UDHI bit.
    plain: the same without optional parameters, for peers of version 3.3.
    """

    __slots__ = ("_before", "_between", "_constant_octets", "_tail", "plain")

    def __init__(self, pattern: SubmitSm) -> None:
        """LocalProtocolError when the pattern does not fit the wire or brings a text as message_payload."""
        if tlv(pattern.tlvs, Tag.MESSAGE_PAYLOAD) is not None:
            raise LocalProtocolError("a template's text comes with each message")
        self._before = b"".join(
            (
                text_from(pattern.service_type, 5),
                octet_from(pattern.source_addr_ton),
                octet_from(pattern.source_addr_npi),
                text_from(pattern.source_addr, _MAX_ADDRESS),
                octet_from(pattern.dest_addr_ton),
                octet_from(pattern.dest_addr_npi),
            )
        )
        self._between = b"".join(
            (
                b"\0",
                octet_from(pattern.esm_class),
                octet_from(pattern.protocol_id),
                octet_from(pattern.priority_flag),
                text_from(pattern.schedule_delivery_time, 16),
                text_from(pattern.validity_period, 16),
                octet_from(pattern.registered_delivery),
                octet_from(pattern.replace_if_present_flag),
                octet_from(pattern.data_coding),
                octet_from(pattern.sm_default_msg_id),
            )
        )
        self._tail = tlvs_from(pattern.tlvs)
        self._constant_octets = HEADER_OCTETS + len(self._before) + len(self._between) + 1 + len(self._tail)
        self.plain: SubmitTemplate = SubmitTemplate(pattern._replace(tlvs=())) if pattern.tlvs else self

    def encode(self, sequence: int, destination_addr: bytes, short_message: bytes) -> bytes:
        """One submit_sm. A text of more than 254 octets travels as message_payload.

        sequence: 1 to 0x7FFFFFFF, not checked here. LocalProtocolError for an address of more than 20 octets or with
        NUL, and for a text of more than 65,535 octets.
        """
        address_octets = len(destination_addr)
        text_octets = len(short_message)
        if address_octets > _MAX_ADDRESS or 0 in destination_addr:
            raise LocalProtocolError(f"a destination has NUL inside or more than {_MAX_ADDRESS} octets")
        if text_octets > MAX_SHORT_MESSAGE:
            return self._encode_long(sequence, destination_addr, text=short_message)
        return b"".join(
            (
                _pack(self._constant_octets + address_octets + text_octets, _SUBMIT_SM, 0, sequence),
                self._before,
                destination_addr,
                self._between,
                _LENGTHS[text_octets],
                short_message,
                self._tail,
            )
        )

    def _encode_long(self, sequence: int, destination_addr: bytes, *, text: bytes) -> bytes:
        if len(text) > _MAX_PAYLOAD:
            raise LocalProtocolError(f"a text has more than {_MAX_PAYLOAD} octets")
        payload = _pack_tag(Tag.MESSAGE_PAYLOAD, len(text)) + text
        length = self._constant_octets + len(destination_addr) + len(payload)
        header = _pack(length, _SUBMIT_SM, 0, sequence)
        return b"".join((header, self._before, destination_addr, self._between, b"\0", self._tail, payload))
