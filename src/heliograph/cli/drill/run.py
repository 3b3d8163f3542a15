"""A drill from beginning to end, with its progress on the terminal."""

import asyncio
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from heliograph.cli import dialects
from heliograph.cli.drill import faults
from heliograph.cli.drill.customers import SEGMENTS, Customers
from heliograph.cli.drill.faults import FAULTS, OF_A_FAMILY, OF_THE_SERVER, Fault
from heliograph.cli.drill.report import Course, Report, Stored, document_of, report, text_of
from heliograph.cli.drill.stage import Plan, Stage, stage
from heliograph.net.clock import SystemClock
from heliograph.services.accounts import Accounts
from heliograph.services.audit import Audit
from heliograph.services.messages import Messages
from heliograph.services.refused import Refused
from heliograph.store.opening import open_store

WARM_UP_S: Final = 0.5
QUIET_S: Final = 60.0
LOOK_S: Final = 0.1
MOST_MESSAGES: Final = 10_000_000


def drilled(plan: Plan, *, is_watched: bool) -> tuple[dict[str, Any], str, bool]:
    """The document, the text, and whether every promise was kept. is_watched: whether to show progress.

    Raises Refused, and KeyboardInterrupt when the process is told to end.
    """
    chosen = chosen_faults(plan)
    try:
        made = asyncio.run(_drilled(plan, chosen, is_watched=is_watched))
    except asyncio.CancelledError:
        # SIGTERM; asyncio makes the same of SIGINT.
        raise KeyboardInterrupt from None
    return document_of(made), text_of(made), made.is_kept


def chosen_faults(plan: Plan) -> dict[str, Fault]:
    """The faults that a plan has. Raises Refused for words that are none."""
    of_the_server = OF_THE_SERVER if plan.database == "postgresql://" else {}
    known = {**FAULTS, **of_the_server, **(OF_A_FAMILY if plan.processes > 1 else {})}
    left_out = [each.strip() for each in plan.without.split(",") if each.strip()]
    if unknown := [each for each in left_out if each not in known]:
        raise Refused(f"{unknown[0]!r} is no fault: write some of {','.join(known)}.")
    chosen = {name: fault for name, fault in known.items() if name not in left_out}
    if not chosen:
        raise Refused("A drill without any fault is a load.")
    return chosen


async def _drilled(plan: Plan, chosen: Mapping[str, Fault], *, is_watched: bool) -> Report:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    progress = Progress(
        TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[what]}"),
        console=Console(stderr=True), disable=not is_watched, transient=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="heliograph-drill-") as made, progress:
        async with stage(plan, Path(made)) as it:
            return await _Run(it, chosen, progress).drill()


class _Run:
    """The parts of one drill."""

    def __init__(self, it: Stage, chosen: Mapping[str, Fault], progress: Progress) -> None:
        self._it = it
        self._chosen = chosen
        self._progress = progress
        self._customers = Customers(it, accepted=it.accepted, tried=it.tried)
        self._dice = random.Random()
        self._faults: Counter[str] = Counter()
        self._allowed = 0
        self._showing = progress.add_task("rounds", total=it.plan.rounds, what="")

    async def drill(self) -> Report:
        """Send and break for so many rounds, let everything come to rest, and do the sums."""
        it, begun = self._it, time.monotonic()
        await it.start()
        sending = asyncio.create_task(self._customers.live())
        try:
            await self._break()
        finally:
            self._customers.is_sending = False
            await sending
        self._show("coming to rest")
        await self._rest()
        if await it.served.stop():
            raise Refused("The server did not end in good order: " + " / ".join(it.served.log[-5:]))
        return await self._report(time.monotonic() - begun)

    async def _break(self) -> None:
        names: list[str] = []
        for _ in range(self._it.plan.rounds):
            # Every fault has had its turn before one comes again.
            names = names or self._dice.sample(sorted(self._chosen), len(self._chosen))
            name = names.pop()
            fault = self._chosen[name]
            self._show(fault.about)
            await asyncio.sleep(WARM_UP_S)
            await fault.happen(self._it, self._dice)
            self._faults[name] += 1
            self._allowed += faults.allowed(fault)
            self._it.carried.look()
            self._progress.advance(self._showing)

    def _show(self, what: str) -> None:
        words = f"{len(self._customers.accepted):,} accepted, {len(self._it.told):,} told: {what}"
        self._progress.update(self._showing, what=words)

    async def _rest(self) -> None:
        """Wait until nothing moves any more, within reason."""
        until = time.monotonic() + QUIET_S
        while time.monotonic() < until and not await self._is_quiet():
            self._show("coming to rest")
            await asyncio.sleep(LOOK_S)

    async def _is_quiet(self) -> bool:
        it = self._it
        it.carried.look()
        if it.centre.waiting:
            return False
        carried = {each for each, text in self._customers.tried.items() if it.carried.segments[each] == SEGMENTS[text]}
        missing = set(self._customers.accepted) - it.told
        if not missing:
            return True
        return not (carried - it.told) and missing <= await self._held()

    async def _held(self) -> set[str]:
        store = await open_store(self._it.database, self._it.served.data)
        try:
            messages = await Messages(store, SystemClock(), told=dialects.told).list(limit=MOST_MESSAGES)
        finally:
            await store.close()
        return {each.recipient.removeprefix("+") for each in messages if each.state.word == "held"}

    async def _report(self, seconds: float) -> Report:
        it, clock = self._it, SystemClock()
        store = await open_store(it.database, it.served.data)
        try:
            documents = await Messages(store, clock, told=dialects.told).list(limit=MOST_MESSAGES)
            account = await Accounts(store, clock).find("drill")
            findings = await Audit(store).check()
        finally:
            await store.close()
        assert account is not None
        course = Course(self._faults, self._allowed, seconds)
        return report(it, self._customers, stored=Stored(documents, account.balance, findings), course=course)
