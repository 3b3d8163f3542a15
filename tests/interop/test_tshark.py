"""tshark reads what we write: an SMPP decoder that shares nothing with ours."""

import struct
import subprocess
from pathlib import Path

from heliograph.gsm import udh
from heliograph.gsm.national import Language, tables_in
from heliograph.gsm.segments import Encoding, split
from heliograph.smpp import codec, receipts
from heliograph.smpp.constants import BindKind, EsmClass, MessageState, Npi, RegisteredDelivery, Ton
from heliograph.smpp.pdus import Bind, DeliverSm, EnquireLink, Pdu, SubmitSm, Unbind
from tests.interop.peers import TEXTS, installed

PORT = 2775
FIELDS = (
    "smpp.command_id",
    "smpp.sequence_number",
    "smpp.destination_addr",
    "smpp.source_addr",
    "smpp.esm.submit.features",
    "smpp.receipted_message_id",
    "smpp.message_state",
    "gsm_sms.udh.mm.msg_parts",
)

TABLE_FIELDS = (
    "gsm_sms.dis_iei_lang.single_shift",
    "gsm_sms.dis_iei_lang.locking_shift",
    "gsm_sms.udh.mm.msg_parts",
    "gsm_sms.udh.mm.msg_part",
)
NATIONAL_TEXTS = {
    Language.TURKISH: "Şişli'de ağaçlar çiçek açtı. " * 12,
    Language.HINDI: "SMS में नमस्ते। " * 9,
    Language.URDU: "سلام، یہ ایک لمبا خط ہے۔ " * 20,
}


def conversation() -> list[Pdu]:
    """A session as a carrier sees it, with every kind of text."""
    submits = [
        SubmitSm(
            source_addr_ton=Ton.ALPHANUMERIC,
            source_addr="Heliograph",
            dest_addr_ton=Ton.INTERNATIONAL,
            dest_addr_npi=Npi.ISDN,
            destination_addr=recipient,
            esm_class=EsmClass.UDHI if segment.udh else 0,
            registered_delivery=RegisteredDelivery.ON_SUCCESS_OR_FAILURE,
            data_coding=8 if encoding is Encoding.UCS2 else 0,
            short_message=segment.payload,
            tlvs=((0x1400, b"110100001341"), (0x1401, b"1107161234567890123")),
        )
        for recipient, text in TEXTS.items()
        for encoding, segments in [split(text, reference=7)]
        for segment in segments
    ]
    receipt = DeliverSm(
        source_addr="27831000001",
        destination_addr="Heliograph",
        esm_class=EsmClass.DELIVERY_RECEIPT,
        short_message=receipts.format_receipt(
            "1f2e", MessageState.DELIVERED, submit_date="2611231200", done_date="2611231201"
        ),
        tlvs=receipts.receipt_tlvs("1f2e", MessageState.DELIVERED),
    )
    bind = Bind(kind=BindKind.TRANSCEIVER, system_id="rig", password="secret")
    return [bind, *submits, receipt, EnquireLink(), Unbind()]


def capture(pdus: list[Pdu]) -> bytes:
    """A pcap file with one TCP segment for each PDU (link type 101: bare IP)."""
    frames = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)]
    place = 1
    for sequence, pdu in enumerate(pdus, start=1):
        octets = codec.encode(pdu, sequence=sequence)
        tcp = struct.pack(">HHIIBBHHH", 40_000, PORT, place, 0, 0x50, 0x18, 65_535, 0, 0) + octets
        address = bytes([127, 0, 0, 1])
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), sequence, 0, 64, 6, 0) + address + address
        frames.append(struct.pack("<IIII", sequence, 0, len(ip + tcp), len(ip + tcp)) + ip + tcp)
        place += len(octets)
    return b"".join(frames)


def read(file: Path, *options: str) -> list[str]:
    (tshark,) = installed("tshark")
    done = subprocess.run([tshark, "-r", str(file), "-n", *options], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_tshark_finds_nothing_malformed_and_reads_the_same_fields(tmp_path: Path) -> None:
    pdus = conversation()
    file = tmp_path / "conversation.pcap"
    file.write_bytes(capture(pdus))
    assert read(file, "-Y", "_ws.malformed || _ws.expert.group == 0x07000000") == []
    options = [option for field in FIELDS for option in ("-e", field)]
    rows = [line.split("\t") for line in read(file, "-Y", "smpp", "-T", "fields", *options)]
    assert len(rows) == len(pdus)
    for sequence, (pdu, row) in enumerate(zip(pdus, rows, strict=True), start=1):
        said = dict(zip(FIELDS, row, strict=True))
        assert int(said["smpp.command_id"], 0) == codec.command_id_of(pdu)
        assert int(said["smpp.sequence_number"], 0) == sequence
        if isinstance(pdu, SubmitSm | DeliverSm):
            assert said["smpp.destination_addr"] == pdu.destination_addr
            assert said["smpp.source_addr"] == pdu.source_addr
        if isinstance(pdu, DeliverSm):
            assert said["smpp.receipted_message_id"] == "1f2e"
            assert int(said["smpp.message_state"], 0) == MessageState.DELIVERED
        if isinstance(pdu, SubmitSm) and pdu.esm_class:
            assert int(said["gsm_sms.udh.mm.msg_parts"], 0) == pdu.short_message[4]


def test_tshark_reads_the_tables_that_our_headers_name(tmp_path: Path) -> None:
    """It knows the languages by name; texts it leaves as octets."""
    written = [
        (language, segment)
        for language, text in NATIONAL_TEXTS.items()
        for segment in split(text, reference=7, language=language)[1]
    ]
    file = tmp_path / "national.pcap"
    submits = [
        SubmitSm(destination_addr="905321234567", esm_class=EsmClass.UDHI, short_message=segment.payload)
        for _, segment in written
    ]
    file.write_bytes(capture([*submits]))
    assert read(file, "-Y", "_ws.malformed || _ws.expert.group == 0x07000000") == []
    options = [option for field in TABLE_FIELDS for option in ("-e", field)]
    rows = [line.split("\t") for line in read(file, "-Y", "smpp", "-T", "fields", *options)]
    for (_, segment), (single, locking, total, number) in zip(written, rows, strict=True):
        assert (int(single or 0), int(locking or 0)) == tables_in(segment.udh)
        place = udh.concatenation_of(segment.udh)
        assert (int(total or 1), int(number or 1)) == ((place.total, place.number) if place else (1, 1))
    shown = {line.split(": ")[1].split(" (")[0] for line in read(file, "-V", "-Y", "smpp") if "Shift): " in line}
    assert shown == {language.name.capitalize() for language in NATIONAL_TEXTS}
