import asyncio
import gc
import threading
from pathlib import Path

from heliograph.store.engine import ask
from heliograph.store.hops.claim import CLAIM, ClaimRequest, Claims
from heliograph.store.opening import open_store
from heliograph.store.turns import Turns


def test_a_write_that_is_cancelled_while_it_waits_keeps_no_turn(tmp_path: Path) -> None:
    async def story() -> None:
        store = await open_store("", tmp_path)

        async def write() -> None:
            async with store.writing():
                pass

        with Turns(tmp_path).taken():
            writing = asyncio.create_task(write())
            await asyncio.sleep(0.05)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        async with asyncio.timeout(5):
            await write()
        await store.close()

    asyncio.run(story())


def test_a_turn_that_comes_when_its_loop_is_ending_is_given_back(tmp_path: Path) -> None:
    async def story() -> None:
        store = await open_store("", tmp_path)

        async def write() -> None:
            async with store.writing():
                raise AssertionError("nobody waits for this turn")

        writing = asyncio.create_task(write())
        await asyncio.sleep(0.05)
        assert not writing.done()

    asyncio.run(_made(tmp_path))
    # An object in a circle would keep what it holds until the collector comes.
    gc.disable()
    try:
        turn = Turns(tmp_path).taken()
        turn.__enter__()
        threading.Timer(0.2, turn.__exit__, (None, None, None)).start()
        asyncio.run(story())
        taken = threading.Thread(target=_take, args=(tmp_path,), daemon=True)
        taken.start()
        taken.join(5)
        assert not taken.is_alive()
    finally:
        gc.enable()


async def _made(folder: Path) -> None:
    store = await open_store("", folder)
    await store.close()


def _take(folder: Path) -> None:
    with Turns(folder).taken():
        pass


def test_one_request_of_a_command_after_another_finds_no_connection_closed(tmp_path: Path) -> None:
    async def story() -> None:
        store = await open_store("", tmp_path)
        writer = store.turn_writer()
        for _ in range(300):
            assert await ask(writer, CLAIM, ClaimRequest(1, 0, 10)) == Claims([], 0)
        await store.close()

    asyncio.run(story())
