"""The exchange that contract cases are played against: a real one, in this process but on a thread of its own.

Requests, answers and webhooks go over sockets; what is stored stands in a SQLite file. Only waiting is shortened: the
clock that the exchange is given runs faster than the wall, so that its habit of grouping events costs a case less.
"""

import asyncio
import http.client
import http.server
import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

from heliograph.carriers.kinds import KINDS
from heliograph.config import Settings
from heliograph.core.broadcasts import BroadcastState
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT, credits_from_amount
from heliograph.core.states import MessageState
from heliograph.net.listen import listening_socket, serve_http
from heliograph.server import Exchange, exchange, web
from heliograph.services.accounts import Accounts
from heliograph.services.campaigns import Campaigns
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.store.hops.notify import DeliveryState
from tests.contract.case import AccountSetup, Opened, Request, Response

T = TypeVar("T")

HURRY = 20
"""Seconds of the exchange in one second of the wall."""
PATIENCE_S = 10.0
LOOK_S = 0.01
NOTICE_S = 0.02
"""After this long a change of pace is noticed."""


class HurriedClock:
    """Wall-clock time as it is; while a case waits for the exchange, everything that waits waits a fraction of it.

    At other times it would only look around in a hurry, which takes a third of a processor.
    """

    def __init__(self) -> None:
        self._since = (0.0, time.monotonic(), 1)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        at, since, pace = self._since
        return at + (time.monotonic() - since) * pace

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:  # noqa: ASYNC110 (a thread changes the pace)
            await asyncio.sleep(min(left / self._since[2], NOTICE_S))

    @contextmanager
    def hurried(self) -> Iterator[None]:
        self._since = (self.monotonic(), time.monotonic(), HURRY)
        try:
            yield
        finally:
            self._since = (self.monotonic(), time.monotonic(), 1)


class Hearer:
    """A customer's web server: takes every POST and keeps it."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append(Request(self.command, self.path, self.headers.items(), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(LOOK_S,), name="hearer", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def listening(self) -> Iterator["Hearer"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class House:
    """The one exchange that all cases share, each with an account of its own."""

    def __init__(self, data: Path, hearer: Hearer) -> None:
        self.hearer = hearer
        self.numbers = itertools.count(1)
        self.port = 0
        self._settings = Settings(data=data, webhook_allow=(ip_network("127.0.0.0/8"),), memory_limit=30_000)
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._task: asyncio.Task[None]
        self._parts: Exchange
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="exchange", daemon=True)
        self.clock = HurriedClock()

    @contextmanager
    def serving(self) -> Iterator["House"]:
        self._thread.start()
        assert self._up.wait(PATIENCE_S), "the exchange did not start"
        self.db = sqlite3.connect(self._settings.data / "heliograph.sqlite")
        try:
            yield self
        finally:
            self.db.close()
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(PATIENCE_S)
            assert not self._thread.is_alive(), "the exchange did not end"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(self._run())
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def _run(self) -> None:
        clock = self.clock
        with listening_socket("127.0.0.1", 0) as listener:
            self.port = listener.getsockname()[1]
            async with exchange(self._settings, clock) as parts, asyncio.TaskGroup() as group:
                self._parts = parts
                carriers = Carriers(parts.desk.store, clock, kinds=KINDS)
                await carriers.add("loopback", CarrierOptions(url="loopback:", window=500))
                await parts.directory.load()
                drivers = group.create_task(parts.drivers.follow())
                try:
                    await serve_http(web(parts), listener, clock=parts.desk.clock, started=self._up.set)
                finally:
                    drivers.cancel()

    def do(self, work: Callable[[Exchange], Coroutine[Any, Any, T]]) -> T:
        """Do something inside of the exchange's own thread."""
        return asyncio.run_coroutine_threadsafe(work(self._parts), self._loop).result(PATIENCE_S)


class RealExchange:
    """`Exchange`: one account of the house. The webhooks of different accounts have different paths."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._number = next(house.numbers)
        self._name = f"case {self._number}"
        self._account_id: AccountId
        self.hook = f"{house.hearer.url}/{self._number}/hook"

    def open(self, account: AccountSetup) -> Opened:
        return self._house.do(lambda parts: self._open(parts, account))

    def close(self) -> None:
        """Numbers of one case may be those of the next."""
        self._house.do(self._close)

    async def _close(self, parts: Exchange) -> None:
        numbers = Numbers(parts.desk.store, parts.desk.clock)
        for number in await numbers.list(self._name):
            await numbers.remove(number.msisdn)

    async def _open(self, parts: Exchange, account: AccountSetup) -> Opened:
        accounts = Accounts(parts.desk.store, parts.desk.clock)
        name = self._name
        new = await accounts.add(name, amount=account.credits * CREDIT)
        self._account_id = new.account.account_id
        if account.senders or account.rate_limit is not None:
            await accounts.change(name, senders=account.senders, rate_limit=account.rate_limit)
        if not account.has_agreed:
            await accounts.change(name, has_agreed=False)
        if account.sender or account.time_zone or account.settings:
            await accounts.change(
                name, sender=account.sender, time_zone=account.time_zone, settings=account.settings or None
            )
        if account.channels:
            await accounts.change(name, channels=[Channel[word.upper()] for word in account.channels])
        if account.is_suspended:
            await accounts.suspend(name)
        for number in account.numbers:
            await Numbers(parts.desk.store, parts.desk.clock).add(
                name, number, options=NumberOptions(sms=True, mms=True)
            )
        for tcr in account.campaigns:
            campaigns = Campaigns(parts.desk.store, parts.desk.clock)
            await campaigns.add(name, tcr, brand="Brand 1")
            await campaigns.approve(name, tcr)
        await parts.directory.load()
        return Opened(new.account.user, new.api_key)

    def call(self, request: Request) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self._house.port, timeout=PATIENCE_S)
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in (*request.headers, ("Content-Length", str(len(request.body)))):
            connection.putheader(name, value)
        with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it has read everything
            connection.endheaders(request.body)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)

    def settle(self) -> None:
        until = time.monotonic() + PATIENCE_S
        with self._house.clock.hurried():
            while unfinished := self._unfinished():
                assert time.monotonic() < until, unfinished
                time.sleep(LOOK_S)

    def _unfinished(self) -> dict[str, int]:
        searches = {
            "broadcasts": ("broadcast where account_id = ? and state < ?", BroadcastState.DONE),
            "messages": ("message where account_id = ? and state < ?", MessageState.DELIVERED),
            "events": ("outbox where account_id = ? and state <> ?", -1),
            "deliveries": ("delivery where account_id = ? and state = ?", DeliveryState.PENDING),
        }
        counts = {
            what: self._ask(f"select count(*) from {rows}", state)[0][0] for what, (rows, state) in searches.items()
        }
        return {what: count for what, count in counts.items() if count}

    def _ask(self, statement: str, *values: object) -> list[Any]:
        return self._house.db.execute(statement, (self._account_id, *values)).fetchall()

    def after(self) -> Mapping[str, Any]:
        messages = self._ask(
            "select m.recipient, s.text, m.reference, m.segments, r.due_at_ms from message m "
            "join submission s on s.account_id = m.account_id and s.id = m.submission_id "
            "left join ready r on r.account_id = m.account_id and r.message_id = m.id "
            "where m.account_id = ? order by m.id"
        )
        ((available,),) = self._ask("select available from balance where account_id = ?")
        ((webhooks,),) = self._ask("select count(*) from webhook where account_id = ?")
        names = ("recipient", "text", "reference", "segments", "due_at_ms")
        return {
            "available": credits_from_amount(available),
            "messages": [dict(zip(names, message, strict=True)) for message in messages],
            "webhooks": webhooks,
        }

    def told(self, count: int) -> Sequence[Request]:
        until = time.monotonic() + PATIENCE_S
        with self._house.clock.hurried():
            while len(heard := self._heard()) < count and time.monotonic() < until:
                time.sleep(LOOK_S)
        return heard

    def _heard(self) -> list[Request]:
        prefix = f"/{self._number}/"
        return [
            Request(call.method, call.target.removeprefix(prefix.rstrip("/")), call.headers, call.body)
            for call in self._house.hearer.heard
            if call.target.startswith(prefix)
        ]
