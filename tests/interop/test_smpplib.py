"""smpplib, a Python implementation, as a customer of our message centre."""

import asyncio
from typing import Any

import pytest

from heliograph.sandbox.habits import Habits
from tests.faults.rig import live
from tests.interop.peers import TEXTS, our_message_centre, texts_at

smpplib = pytest.importorskip("smpplib.client", reason="smpplib is not installed")
consts = pytest.importorskip("smpplib.consts")
exceptions = pytest.importorskip("smpplib.exceptions")
gsm = pytest.importorskip("smpplib.gsm")


class Noted:
    """What the peer was told. answered: ids of submits; receipts: by the id they name."""

    def __init__(self) -> None:
        self.answered: list[str] = []
        self.receipts: dict[str, bytes] = {}

    def sent(self, pdu: Any) -> None:
        self.answered.append(pdu.message_id.decode())

    def received(self, pdu: Any) -> None:
        self.receipts[pdu.receipted_message_id.decode()] = pdu.short_message


def converse(port: int, texts: dict[str, str]) -> Noted:
    """Bind, send every text, wait for all receipts, unbind."""
    noted = Noted()
    peer = smpplib.Client("127.0.0.1", port, timeout=10, allow_unknown_opt_params=True)
    peer.set_message_sent_handler(noted.sent)
    peer.set_message_received_handler(noted.received)
    peer.connect()
    try:
        peer.bind_transceiver(system_id="smpplib", password="secret")
        count = 0
        for recipient, text in texts.items():
            segments, coding, esm_class = gsm.make_parts(text)
            for segment in segments:
                peer.send_message(
                    source_addr_ton=consts.SMPP_TON_ALNUM,
                    source_addr="smpplib",
                    dest_addr_ton=consts.SMPP_TON_INTL,
                    dest_addr_npi=consts.SMPP_NPI_ISDN,
                    destination_addr=recipient,
                    short_message=segment,
                    data_coding=coding,
                    esm_class=esm_class,
                    registered_delivery=True,
                )
                count += 1
        while len(noted.answered) < count or len(noted.receipts) < count:
            peer.read_once()
        peer.unbind()
    finally:
        peer.disconnect()
    return noted


@live
async def test_smpplib_sends_everything_and_hears_of_it() -> None:
    async with our_message_centre() as (centre, port):
        noted = await asyncio.to_thread(converse, port, TEXTS)
        assert texts_at(centre) == TEXTS
        assert centre.waiting == 0
        assert set(noted.receipts) == set(noted.answered)
        assert len(noted.answered) == len(set(noted.answered)) == len(centre.received)
        assert all(b"stat:DELIVRD" in text for text in noted.receipts.values())


@live
async def test_smpplib_is_turned_away_with_a_wrong_password() -> None:
    async with our_message_centre(Habits(password="right")) as (_, port):
        with pytest.raises(exceptions.PDUError, match="Password"):
            await asyncio.to_thread(converse, port, TEXTS)
