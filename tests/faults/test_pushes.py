"""What BulkVS webhooks are pushed by a real server: when a private address may be called, and the files of replies."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from heliograph.core.fates import Fate
from heliograph.testing.receiver import Answer, Receiver
from heliograph.testing.served import Requests, Served
from tests.faults.commands import Commands
from tests.faults.rig import LOOK_S, live

OURS = "13109060901"
HANDSET = "131055" + Fate.REPLIES.digits


async def asked(served: Served, account: dict[str, Any], method: str, path: str, body: object) -> Any:
    """What BulkVS's interface answers to this account."""
    basic = base64.b64encode(f"{account['user']}:{account['api_key']}".encode()).decode()
    async with Requests(served.port) as requests:
        reply = await requests.ask(method, path, json.dumps(body).encode(), headers={"Authorization": f"Basic {basic}"})
    assert reply.status == 200, reply
    return reply.json()


@live
async def test_a_reply_waits_until_its_webhook_may_be_called(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    account = await commands.run("account", "add", "shop", "--credits", "100")
    await commands.run("carrier", "add", "loopback", "--url", "loopback:")

    async def deliveries() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await commands.run("webhook", "deliveries"))["deliveries"]
        return [each for each in found if each["attempts"]]

    async with Receiver() as receiver:
        async with Served(tmp_path, {"HELIOGRAPH_WEBHOOK_ALLOW": ""}) as served:
            await served.start()
            webhook = {"Webhook": "Desk", "Url": f"{receiver.url}/in"}
            assert (await asked(served, account, "PUT", "/webHooks", webhook))["Url"] == webhook["Url"]
            await commands.run("number", "add", "shop", OURS, "--webhook", "Desk")
            message = {"From": OURS, "To": [HANDSET], "Message": "Are you there?"}
            await asked(served, account, "POST", "/messageSend", message)
            while not await deliveries():  # noqa: ASYNC110 (another process sets no event of ours)
                await asyncio.sleep(LOOK_S)
            (waiting,) = await deliveries()
            assert waiting["state"] == "pending"
            assert "loopback address" in waiting["note"]
            assert "HELIOGRAPH_WEBHOOK_ALLOW" in waiting["note"]
            assert receiver.calls == []
            assert await served.stop() == 0
        async with Served(tmp_path, {"HELIOGRAPH_WEBHOOK_ALLOW": "127.0.0.0/8"}) as served:
            await served.start()
            await commands.run("webhook", "replay", str(waiting["id"]))
            await receiver.wait_for(1)
            pushed = json.loads(receiver.calls[0].body)
            assert (pushed["From"], pushed["To"]) == (HANDSET, [OURS])


@live
async def test_the_files_of_a_reply_are_fetched_from_the_links_that_are_pushed(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    account = await commands.run("account", "add", "shop", "--credits", "100")
    await commands.run("carrier", "add", "loopback", "--url", "loopback:")
    picture = Answer(200, (("Content-Type", "image/gif"),), b"GIF89a a picture")
    async with Receiver(picture) as web, Receiver() as receiver, Served(tmp_path) as served:
        await served.start()
        await asked(served, account, "PUT", "/webHooks", {"Webhook": "Desk", "Url": f"{receiver.url}/in"})
        await commands.run("number", "add", "shop", OURS, "--webhook", "Desk")
        message = {"From": OURS, "To": [HANDSET], "MediaURLs": [f"{web.url}/a.gif"]}
        assert (await asked(served, account, "POST", "/messageSend", message))["MessageType"] == "MMS"
        await receiver.wait_for(1)
        pushed = json.loads(receiver.calls[0].body)
        assert (pushed["From"], pushed["To"]) == (HANDSET, [OURS])
        assert pushed["MediaURLs"]
        async with Requests(served.port) as requests:
            for url in pushed["MediaURLs"]:
                reply = await requests.ask("GET", urlsplit(url).path)
                assert (reply.status, reply.headers["content-type"].partition("/")[0]) == (200, "image")
                assert reply.body
