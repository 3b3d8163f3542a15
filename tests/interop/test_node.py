"""The npm package smpp in both roles."""

import json
from collections import defaultdict
from pathlib import Path

from heliograph.core.directory import Policy
from heliograph.services.carriers import CarrierOptions
from heliograph.smpp.constants import CommandStatus
from heliograph.testing.receiver import Receiver
from heliograph.testing.served import Requests, Served
from tests.faults.commands import Commands
from tests.faults.rig import live, set_up
from tests.interop.peers import HERE, TEXTS, Peer, node, our_message_centre, texts_at


def joined(segments: list[dict[str, object]]) -> str:
    """The text of a message's segments, by the number that ends each header."""
    return "".join(str(each["text"]) for each in sorted(segments, key=lambda each: str(each["header"])[-2:]))


@live
async def test_our_carrier_at_a_node_message_centre(tmp_path: Path) -> None:
    async with Peer(node(), str(HERE / "message_centre.js")) as peer, Receiver() as receiver:
        await peer.until(lambda: bool(peer.heard("listening")))
        port = peer.heard("listening")[0]["port"]
        carrier = CarrierOptions(url=f"smpp://rig:rig@127.0.0.1:{port}", window=10, policy=Policy.HOLD)
        api_key = await set_up(tmp_path, carrier=carrier, webhook=receiver.url)
        async with Served(tmp_path) as served:
            await served.start()
            async with Requests(served.port, api_key) as requests:
                for recipient, text in TEXTS.items():
                    assert (await requests.send([recipient], text)).status == 202

            def delivered() -> set[str]:
                events = [event for call in receiver.calls for event in json.loads(call.body)["Events"]]
                return {event["Number"] for event in events if event["Status"] == "Delivered"}

            await peer.until(lambda: delivered() == set(TEXTS))
            documents = (await Commands(tmp_path).run("message", "list"))["messages"]
            assert await served.stop() == 0
        await peer.until(lambda: bool(peer.heard("unbound")))
    by_recipient: dict[str, list[dict[str, object]]] = defaultdict(list)
    for submit in peer.heard("submit"):
        assert submit["registered_delivery"] == 1
        by_recipient[submit["to"]].append(submit)
    assert {recipient: joined(segments) for recipient, segments in by_recipient.items()} == TEXTS
    assert {receipt["status"] for receipt in peer.heard("receipt")} == {0}
    assert peer.heard("bound") == [{"system_id": "rig", "interface_version": 0x34}]
    assert {document["state"] for document in documents} == {"delivered"}
    assert not peer.heard("error")


@live
async def test_a_node_customer_at_our_message_centre() -> None:
    program = node()
    async with (
        our_message_centre() as (centre, port),
        Peer(program, str(HERE / "customer.js"), str(port), json.dumps(TEXTS)) as peer,
    ):
        await peer.until(lambda: bool(peer.heard("unbound")))
        assert await peer.ended() == 0
        assert texts_at(centre) == TEXTS
        assert centre.waiting == 0
    assert peer.heard("bound") == [{"status": 0, "system_id": "Heliograph"}]
    answers, receipts = peer.heard("answer"), peer.heard("receipt")
    assert {answer["status"] for answer in answers} == {CommandStatus.ESME_ROK}
    assert {receipt["id"].rstrip("\0") for receipt in receipts} == {answer["id"] for answer in answers}
    assert {receipt["state"] for receipt in receipts} == {2}
    for receipt in receipts:
        assert f"id:{receipt['id'].rstrip(chr(0))} " in receipt["text"]
        assert "stat:DELIVRD" in receipt["text"]
    assert len(receipts) == len(answers) == len(centre.received)
