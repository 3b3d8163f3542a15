"""The npm package textlk-node, of another vendor of the product, as a customer who knows TextBoost's interface."""

from pathlib import Path
from typing import Any

from heliograph.testing.served import Served
from tests.faults.commands import Commands
from tests.faults.rig import live
from tests.interop.peers import HERE, Peer, node


@live
async def test_a_node_customer_sends_after_changing_the_address(tmp_path: Path) -> None:
    program, commands = node("textlk-node"), Commands(tmp_path)
    key = (await commands.run("account", "add", "shop", "--credits", "100"))["api_key"]
    await commands.run("carrier", "add", "loopback", "--url", "loopback:")

    async with Served(tmp_path) as served:
        await served.start()

        async def send(key: str, recipient: str, sender: str) -> dict[str, Any]:
            line = (program, str(HERE / "shop.mjs"), f"http://127.0.0.1:{served.port}", key, recipient, sender)
            async with Peer(*line) as peer:
                await peer.ended()
            said: Any
            (said,) = [*peer.heard("answer"), *peer.heard("error")]
            return said if isinstance(said, dict) else {"error": said}

        good = await send(key, "+94 77 123 4567", "Shop")
        assert (good["status"], good["data"]["to"]) == ("success", "94771234567")
        assert good["data"]["message"] == "Hello & goodbye, 100 %"
        assert await send("1|x", "94771234567", "Shop") == {
            "status": "error",
            "message": "These credentials do not match our records.",
        }
        assert (
            "Originator TwelveLetters is not authorized" in (await send(key, "94771234567", "TwelveLetters"))["error"]
        )
        (listed,) = (await commands.run("message", "list"))["messages"]
        assert (listed["recipient"], listed["sender"]) == ("+94771234567", "Shop")
        assert await served.stop() == 0
