"""The tour of the sandbox: real messages through every dialect, each followed to its end and to its webhook."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from rich.console import Console
from rich.table import Table

from heliograph.cli.carrier import check
from heliograph.config import Settings
from heliograph.core.events import EventKind
from heliograph.core.fates import Fate, table
from heliograph.core.money import CREDIT
from heliograph.net.clock import SystemClock
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.routes import Routes
from heliograph.services.webhooks import Webhooks
from heliograph.store.opening import open_store
from heliograph.testing.receiver import Receiver

LOOPBACK_PREFIX = "1"
"""Numbers that begin so take the loopback carrier; all others the SMPP message centre."""

PATIENCE_S = 10.0


class Customer(NamedTuple):
    """Whose messages the tour sends."""

    name: str
    user: str
    api_key: str


async def set_up(settings: Settings, *, smpp_port: int, hook: str) -> Customer:
    """An account with credits and a webhook, two carriers, and routes to them."""
    clock = SystemClock()
    store = await open_store(settings.database, settings.data)
    try:
        new = await Accounts(store, clock).add("demo", amount=1_000 * CREDIT)
        carriers, routes = Carriers(store, clock, check=check), Routes(store, clock)
        await carriers.add("centre", CarrierOptions(url=f"smpp://demo:demo@127.0.0.1:{smpp_port}", window=100))
        await carriers.add("loopback", CarrierOptions(url="loopback:"))
        await routes.add("centre")
        await routes.add("loopback", prefix=LOOPBACK_PREFIX)
        webhooks = Webhooks(store, clock)
        account_id = new.account.account_id
        await webhooks.add(account_id, dialect="touchbasepro", kind=EventKind.STATUS, url=f"{hook}/touchbasepro")
        return Customer(new.account.name, new.account.user, new.api_key)
    finally:
        await store.close()


class Step(NamedTuple):
    """One thing the tour shows. recipients: whose messages go, and the word that the webhook must hear of each."""

    title: str
    recipients: dict[str, str]
    send: Callable[[aiohttp.ClientSession, list[str]], Awaitable[int]]


class Tour:
    """Runs the steps and says what happened."""

    def __init__(self, address: str, customer: Customer, receiver: Receiver, *, smpp_port: int, folder: Path) -> None:
        self._address = address
        self._customer = customer
        self._receiver = receiver
        self._smpp_port = smpp_port
        self._folder = folder
        self._console = Console()

    async def run(self) -> bool:
        """All steps; whether every one ended as it must."""
        self._console.rule("Heliograph sandbox")
        headers = {"Authorization": f"Bearer {self._customer.api_key}"}
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
            results = [await self._show(http, step) for step in self._steps()]
        good = all(results)
        self._console.print("[green]Every step ended as it should.[/]" if good else "[red]A step failed.[/]")
        return good

    def _steps(self) -> Iterator[Step]:
        yield Step(
            "TouchBasePro: one text to two numbers over SMPP",
            {"+27831234567": "Delivered", "+27827654321": "Delivered"},
            self._touchbasepro,
        )
        yield Step(
            "TouchBasePro: a number that cannot be reached",
            {f"+278312{Fate.UNDELIVERABLE.digits}": "Undelivered"},
            self._touchbasepro,
        )
        yield Step(
            "TouchBasePro: the loopback carrier", {f"+{LOOPBACK_PREFIX}2025550175": "Delivered"}, self._touchbasepro
        )

    async def _touchbasepro(self, http: aiohttp.ClientSession, recipients: list[str]) -> int:
        body = {"text": "Hello from the sandbox ☀", "to": recipients}
        async with http.post(f"{self._address}/sms/messages", json=body) as answer:
            await answer.read()
            return answer.status

    async def _show(self, http: aiohttp.ClientSession, step: Step) -> bool:
        with self._console.status(step.title):
            status = await step.send(http, list(step.recipients))
            heard = await self._heard(step.recipients) if status < 300 else {}
        good = status < 300 and heard == step.recipients
        self._console.print(f"[{'green' if good else 'red'}]{'✓' if good else '✗'}[/] {step.title}")
        self._console.print(f"    HTTP {status}, then to the webhook:", highlight=False)
        for recipient, wanted in step.recipients.items():
            self._console.print(
                f"    {recipient}  {heard.get(recipient, f'nothing (wanted {wanted})')}", highlight=False
            )
        return good

    async def _heard(self, wanted: dict[str, str]) -> dict[str, str]:
        """The last word that the webhook heard of each recipient, when all are the wanted ones or time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        heard: dict[str, str] = {}
        while heard != wanted and loop.time() < until:
            await asyncio.sleep(0.05)
            heard = {number: word for number, word in self._words() if number in wanted}
        return heard

    def _words(self) -> Iterator[tuple[str, str]]:
        for call in self._receiver.calls:
            told: dict[str, Any] = json.loads(call.body)
            for event in told["Events"]:
                yield f"+{event['Number']}", event["Status"]

    def say_what_to_try(self) -> None:
        """Addresses, the key, and numbers that choose what happens."""
        facts = Table(show_header=False, box=None)
        facts.add_row("HTTP", self._address)
        facts.add_row("OpenAPI", f"{self._address}/openapi.json")
        facts.add_row("Metrics", f"{self._address}/metrics")
        facts.add_row("Message centre (SMPP)", f"127.0.0.1:{self._smpp_port}")
        facts.add_row("Webhook", f"{self._receiver.url}/touchbasepro")
        facts.add_row("API key", self._customer.api_key)
        facts.add_row("Data (removed at the end)", str(self._folder))
        self._console.print(facts)
        numbers = Table("number", "what happens")
        for row in table():
            numbers.add_row(row.example, row.sentence)
        self._console.print(numbers)
        self._console.print("Try it:", highlight=False)
        print(
            f"curl {self._address}/sms/messages -H 'Authorization: Bearer {self._customer.api_key}' "
            '-H \'Content-Type: application/json\' -d \'{"text":"Hello","to":["+27831234567"]}\''
        )
        self._console.print("Ctrl-C ends it.")
