import asyncio
import json
import os
import sqlite3
import time
from pathlib import Path

from heliograph.core.directory import Policy
from heliograph.testing.served import PROGRAM
from tests.faults.rig import Rig, live, rig, until

ROWS = 15_000


def _file(folder: Path) -> Path:
    path = folder / "contacts.csv"
    numbers = (f"+2782{place * 7919 % ROWS:07d}" for place in range(ROWS))
    path.write_text("phone,first name,town\n" + "".join(f"{each},Ada,Rome\n" for each in numbers))
    return path


def _count(it: Rig) -> tuple[int, int, int]:
    """Contacts there are, different numbers among them, and what the group says."""
    connection = sqlite3.connect(it.served.data / "heliograph.sqlite")
    try:
        there: tuple[int, int] = connection.execute("select count(*), count(distinct msisdn) from contact").fetchone()
        return *there, connection.execute("select contacts from contact_group").fetchone()[0]
    finally:
        connection.close()


async def _importing(it: Rig, path: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(*PROGRAM, "contact", "import", "acme", "friends", str(path), "--json"),
        env={**os.environ, "HELIOGRAPH_DATA": str(it.served.data)},
        stdout=asyncio.subprocess.PIPE,
    )


@live
async def test_an_import_that_is_killed_half_way_is_completed_by_another(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND) as it:
        await it.served.start()
        path = _file(tmp_path)
        await it.commands.run("group", "add", "acme", "friends")
        first = await _importing(it, path)
        await until(lambda: _count(it)[0] > 2_000)
        first.kill()
        await first.wait()
        there, different, said = _count(it)
        assert 0 < there < ROWS
        assert there == different == said
        second = await _importing(it, path)
        ending = asyncio.create_task(second.communicate())
        waits: list[float] = []
        while not ending.done():
            began = time.monotonic()
            assert (await it.customer.send(1)).status == 202
            waits.append(time.monotonic() - began)
            await asyncio.wait([ending], timeout=0.01)
        out, _ = await ending
        tally = json.loads(out)
        assert (tally["rows"], tally["added"] + tally["known"], tally["rejected"]) == (ROWS, ROWS, 0)
        assert tally["known"] == there
        assert _count(it) == (ROWS, ROWS, ROWS)
        # The customer had its turn between the transactions.
        assert waits
        assert sorted(waits)[len(waits) // 2] < 0.5
        third = await _importing(it, path)
        out, _ = await third.communicate()
        assert (json.loads(out)["added"], json.loads(out)["known"]) == (0, ROWS)
        (await it.settle()).check(Policy.RESEND)
