import asyncio
from pathlib import Path

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
