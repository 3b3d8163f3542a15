"""Apprise, a library that notifies over many services, as a customer who knows BulkVS: only the address is ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from heliograph.testing.served import Served
from tests.faults.commands import Commands
from tests.faults.rig import live

apprise = pytest.importorskip("apprise", reason="apprise is not installed")
plugin = pytest.importorskip("apprise.plugins.bulkvs", reason="apprise is not installed")

# The library imports every service it knows, and one of them what Python will drop.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

FROM = "13109060901"
TO = [f"131055512{number}" for number in range(10, 15)]


class Shop:
    """A customer of a running server. address: where Apprise sends."""

    def __init__(self, served: Served, commands: Commands, account: dict[str, Any]) -> None:
        self._commands = commands
        self._account = account
        self.address = f"http://127.0.0.1:{served.port}/api/v1.0/messageSend"

    async def notify(self, *recipients: str, key: str = "", sender: str = FROM, batch: bool = False) -> bool:
        """Whether Apprise took it for a success."""
        user, password = self._account["user"], quote(key or self._account["api_key"], safe="")
        notifier = apprise.Apprise()
        mode = "yes" if batch else "no"
        assert notifier.add(f"bulkvs://{user}:{password}@{sender}/{'/'.join(recipients)}?batch={mode}")
        return bool(await asyncio.to_thread(notifier.notify, body="The build is green."))

    async def recipients(self) -> list[str]:
        """Who has a message."""
        listed = await self._commands.run("message", "list")
        return sorted(each["recipient"] for each in listed["messages"])


@asynccontextmanager
async def shop(data: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    """A server, and Apprise with its address in place of the vendor's and without its pauses."""
    commands = Commands(data)
    account = await commands.run("account", "add", "shop", "--credits", "100")
    await commands.run("number", "add", "shop", FROM)
    await commands.run("carrier", "add", "loopback", "--url", "loopback:")
    async with Served(data) as served:
        await served.start()
        made = Shop(served, commands, account)
        patch.setattr(plugin.NotifyBulkVS, "notify_url", made.address)
        patch.setattr(plugin.NotifyBulkVS, "request_rate_per_sec", 0)
        yield made


@live
async def test_one_number_several_and_a_batch_succeed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shop(tmp_path / "data", monkeypatch) as customer:
        assert await customer.notify(TO[0])
        assert await customer.notify(*TO[1:3])
        assert await customer.notify(*TO[3:], batch=True)
        assert await customer.recipients() == [f"+{number}" for number in TO]


@live
async def test_what_is_refused_is_seen_as_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shop(tmp_path / "data", monkeypatch) as customer:
        assert not await customer.notify(TO[0], key="1|" + "w" * 40)
        assert not await customer.notify(TO[0], sender="13109060902")
        assert not await customer.notify(*TO, sender="13109060902", batch=True)
        assert await customer.recipients() == []
