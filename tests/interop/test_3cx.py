"""What a 3CX telephone system does with a carrier of text messages: it posts in its spelling, and hears in its form."""

import json
from pathlib import Path

from heliograph.testing.receiver import Receiver
from heliograph.testing.served import Requests, Served
from tests.faults.commands import Commands
from tests.faults.rig import live
from tests.unit.dialects.world import basic

FROM = "+13109060901"
REPLIES = "+13105599909"
"""A number of the sandbox that writes back."""


@live
async def test_a_text_goes_out_and_its_answer_comes_back(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "data")
    account = await commands.run("account", "add", "switchboard", "--credits", "10")
    await commands.run("number", "add", "switchboard", FROM)
    await commands.run("carrier", "add", "loopback", "--url", "loopback:")
    shown = {"Authorization": basic(account["user"], account["api_key"])}
    async with Receiver() as telephone_system, Served(tmp_path / "data") as served:
        await served.start()
        async with Requests(served.port) as requests:
            hook = {"Webhook": "3CX", "Url": f"{telephone_system.url}/sms", "Method": "3CX", "Dlr": True}
            number = {"TN": FROM, "Webhook": "3CX"}
            for method, path, body in (("PUT", "webHooks", hook), ("POST", "tnRecord", number)):
                made = await requests.ask(method, f"/api/v1.0/{path}", json.dumps(body).encode(), headers=shown)
                assert made.status == 200, made.body
            text = json.dumps({"from": FROM, "to": REPLIES, "text": "Are you there?"}).encode()
            bearer = {"Authorization": shown["Authorization"].replace("Basic", "Bearer")}
            sent = await requests.ask("POST", "/api/v1.0/messageSend?pbx=3cx", text, headers=bearer)
            assert sent.json()["Results"] == [{"To": REPLIES[1:], "Status": "SUCCESS"}]
            await telephone_system.wait_for(1)
        # A receipt would have come before the answer did: in this form none is told.
        (call,) = telephone_system.calls
        data = json.loads(call.body)["data"]
        assert (call.path, data["event_type"]) == ("/sms", "message.received")
        assert data["payload"]["from"] == {"phone_number": REPLIES}
        assert data["payload"]["to"][0]["phone_number"] == FROM
        assert data["payload"]["text"] == "Thank you, received."
