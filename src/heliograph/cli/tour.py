"""The tour of the sandbox: real messages through every dialect, each followed to its end and to its customer."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import aiohttp
from rich.console import Console
from rich.table import Table

from heliograph import sandbox
from heliograph.cli.customer import LOOPBACK_PREFIX, OWN_NUMBER, Customer, Ports
from heliograph.core.fates import Fate, table
from heliograph.testing.receiver import Answer, Receiver

PATIENCE_S = 10.0
PICTURE = Path(sandbox.__file__).with_name("picture.png")
PICTURE_PATH = "/heliograph.png"


class Spoken(NamedTuple):
    """How a customer of a dialect speaks and is spoken to.

    path: of sending; webhooks are told at the dialect's name. body: for recipients, and the address of a picture.
    words: of each number, in what a webhook was told.
    reports: where to ask for these words, in a dialect that has no webhooks.
    """

    dialect: str
    path: str
    authorization: Callable[[Customer], str]
    body: Callable[[list[str], str], dict[str, object]]
    words: Callable[[Any], Iterator[tuple[str, str]]]
    reports: str = ""


def _words_of_touchbasepro(told: Any) -> Iterator[tuple[str, str]]:
    for event in told["Events"]:
        yield f"+{event['Number']}", event["Status"]


def _words_of_bulkvs(told: Any) -> Iterator[tuple[str, str]]:
    text = unquote_plus(told["Message"])
    yield f"+{told['From']}", text.partition(" stat:")[2].split(" ")[0] if told.get("DeliveryReceipt") else text


def _words_of_textboost(page: Any) -> Iterator[tuple[str, str]]:
    for report in page["data"]["data"]:
        yield f"+{report['to']}", report["status"]


TEXT = "Hello from the sandbox ☀"
TOUCHBASEPRO = Spoken(
    dialect="touchbasepro",
    path="/sms/messages",
    authorization=lambda customer: f"Bearer {customer.api_key}",
    body=lambda recipients, _: {"text": TEXT, "to": recipients},
    words=_words_of_touchbasepro,
)
BULKVS = Spoken(
    dialect="bulkvs",
    path="/api/v1.0/messageSend",
    authorization=lambda customer: f"Basic {b64encode(f'{customer.user}:{customer.api_key}'.encode()).decode()}",
    body=lambda recipients, _: {"From": OWN_NUMBER, "To": recipients, "Message": TEXT},
    words=_words_of_bulkvs,
)


TEXTBOOST = Spoken(
    dialect="textboost",
    path="/api/v3/sms/send",
    authorization=lambda customer: f"Bearer {customer.api_key}",
    body=lambda recipients, _: {"recipient": ",".join(recipients), "sender_id": "Sandbox", "message": TEXT},
    words=_words_of_textboost,
    reports="/api/v3/sms",
)


BULKVS_MMS = BULKVS._replace(
    body=lambda recipients, picture: {
        "From": OWN_NUMBER,
        "To": recipients,
        "Message": "A heliograph sends sunlight.",
        "MediaURLs": [picture],
    }
)
TEXTBOOST_VOICE = TEXTBOOST._replace(
    body=lambda recipients, _: {
        "recipient": ",".join(recipients),
        "sender_id": "27820000001",
        "type": "voice",
        "language": "en-gb",
        "gender": "female",
        "message": "Your code is 4, 7, 1, 1.",
    }
)


class Step(NamedTuple):
    """One thing the tour shows. recipients: whose messages go, and the word that the customer must hear of each.

    left: what the recipient's phone must have, by the end of the file's name, for people to look at or listen to.
    """

    title: str
    spoken: Spoken
    recipients: dict[str, str]
    left: str = ""


STEPS = (
    Step(
        "TouchBasePro: one text to two numbers over SMPP",
        TOUCHBASEPRO,
        {"+27831234567": "Delivered", "+27827654321": "Delivered"},
    ),
    Step(
        "TouchBasePro: a number that cannot be reached",
        TOUCHBASEPRO,
        {f"+278312{Fate.UNDELIVERABLE.digits}": "Undelivered"},
    ),
    Step("TouchBasePro: the loopback carrier", TOUCHBASEPRO, {f"+{LOOPBACK_PREFIX}2025550175": "Delivered"}),
    Step("BulkVS: one text to two numbers", BULKVS, {"+27831234568": "DELIVRD", "+13105551212": "DELIVRD"}),
    Step("BulkVS: a recipient that replies", BULKVS, {f"+278312{Fate.REPLIES.digits}": f"{Fate.REPLIES.reply}"}),
    Step("TextBoost: one text, whose report is asked for", TEXTBOOST, {"+31612345678": "Delivered"}),
    Step("BulkVS: a picture by MMS, over MM7", BULKVS_MMS, {"+13105551213": "DELIVRD"}, ".png"),
    Step("TextBoost: a text that is read in a call, over SIP", TEXTBOOST_VOICE, {"+442079460123": "Delivered"}, ".wav"),
)


class Played(NamedTuple):
    """What came of a step: the answer to the request, what the customer heard of whom, files on the phone."""

    status: int
    heard: dict[str, str]
    left: list[Path]


class Place(NamedTuple):
    """Where the tour is. address: of the exchange; data: its folder; handsets: what the sandbox's handsets got."""

    address: str
    ports: Ports
    data: Path
    handsets: Path


class Tour:
    """Runs the steps and says what happened."""

    def __init__(self, place: Place, customer: Customer, receiver: Receiver) -> None:
        self._place = place
        self._customer = customer
        self._receiver = receiver
        self._console = Console()
        receiver.answers[PICTURE_PATH] = Answer(200, (("Content-Type", "image/png"),), PICTURE.read_bytes())

    async def run(self) -> bool:
        """All steps; whether every one ended as it must."""
        self._console.rule("Heliograph sandbox")
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as http, asyncio.TaskGroup() as group:
            # All go at once, for most of a message's way is waiting; they are shown one after another.
            played = [group.create_task(self._play(http, step)) for step in STEPS]
            results = [await self._show(step, each) for step, each in zip(STEPS, played, strict=True)]
        good = all(results)
        self._console.print("[green]Every step ended as it should.[/]" if good else "[red]A step failed.[/]")
        return good

    async def _play(self, http: aiohttp.ClientSession, step: Step) -> Played:
        status = await self._send(http, step)
        heard = await self._heard(http, step) if status < 300 else {}
        return Played(status, heard, await self._left(step) if heard == step.recipients else [])

    async def _show(self, step: Step, playing: asyncio.Task[Played]) -> bool:
        with self._console.status(step.title):
            status, heard, left = await playing
        good = status < 300 and heard == step.recipients and bool(left or not step.left)
        self._console.print(f"[{'green' if good else 'red'}]{'✓' if good else '✗'}[/] {step.title}")
        told = "in the reports" if step.spoken.reports else "to the webhook"
        self._console.print(f"    HTTP {status}, then {told}:", highlight=False)
        for recipient, wanted in step.recipients.items():
            self._console.print(
                f"    {recipient}  {heard.get(recipient, f'nothing (wanted {wanted})')}", highlight=False
            )
        for path in left:
            self._console.print(f"    {path}", highlight=False, soft_wrap=True)
        return good

    async def _send(self, http: aiohttp.ClientSession, step: Step) -> int:
        spoken = step.spoken
        headers = {"Authorization": spoken.authorization(self._customer)}
        body = spoken.body(list(step.recipients), f"{self._receiver.url}{PICTURE_PATH}")
        async with http.post(f"{self._place.address}{spoken.path}", json=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    async def _heard(self, http: aiohttp.ClientSession, step: Step) -> dict[str, str]:
        """The last word that the customer heard of each recipient, when all are the wanted ones or time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        wanted = step.recipients
        heard: dict[str, str] = {}
        while heard != wanted and loop.time() < until:
            await asyncio.sleep(0.05)
            told = await self._told(http, step.spoken)
            heard = {number: word for each in told for number, word in step.spoken.words(each) if number in wanted}
        return heard

    async def _left(self, step: Step) -> list[Path]:
        """What the recipient's phone has, when it has it or time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        left: list[Path] = []
        while step.left and not left and loop.time() < until:
            await asyncio.sleep(0.05)
            names = [recipient[1:] for recipient in step.recipients]
            left = [
                path
                for path in sorted(self._place.handsets.rglob(f"*{step.left}"))
                if any(name in str(path.relative_to(self._place.handsets)) for name in names)
            ]
        return left

    async def _told(self, http: aiohttp.ClientSession, spoken: Spoken) -> list[Any]:
        """What the customer's webhook was told so far, or is answered when there is none."""
        if not spoken.reports:
            return [json.loads(call.body) for call in self._receiver.calls if call.path == f"/{spoken.dialect}"]
        headers = {"Authorization": spoken.authorization(self._customer)}
        async with http.get(f"{self._place.address}{spoken.reports}", headers=headers) as answer:
            return [await answer.json()]

    def say_what_to_try(self) -> None:
        """Addresses, the key, and numbers that choose what happens."""
        facts = Table(show_header=False, box=None)
        facts.add_row("HTTP", self._place.address)
        facts.add_row("OpenAPI", f"{self._place.address}/openapi.json")
        facts.add_row("Metrics", f"{self._place.address}/metrics")
        facts.add_row("Message centre (SMPP)", f"127.0.0.1:{self._place.ports.smpp}")
        facts.add_row("MMSC (MM7)", f"http://127.0.0.1:{self._place.ports.mm7}/")
        facts.add_row("Phone (SIP)", f"127.0.0.1:{self._place.ports.sip}")
        facts.add_row("What the handsets got", str(self._place.handsets))
        for spoken in (TOUCHBASEPRO, BULKVS):
            facts.add_row(f"Webhook of {spoken.dialect}", f"{self._receiver.url}/{spoken.dialect}")
        facts.add_row("User, number", f"{self._customer.user}, {OWN_NUMBER}")
        facts.add_row("API key", self._customer.api_key)
        facts.add_row("Data (removed at the end)", str(self._place.data))
        self._console.print(facts)
        numbers = Table("number", "what happens")
        for row in table():
            numbers.add_row(row.example, row.sentence)
        self._console.print(numbers)
        self._console.print("Try it:", highlight=False)
        print(
            f"curl {self._place.address}/sms/messages -H 'Authorization: Bearer {self._customer.api_key}' "
            '-H \'Content-Type: application/json\' -d \'{"text":"Hello","to":["+27831234567"]}\''
        )
        self._console.print("Ctrl-C ends it.")
