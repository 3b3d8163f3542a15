"""The processes that look at pictures: started, watched, ended."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from heliograph.services.pictures.broken import BadPicture
from heliograph.services.pictures.frames import ANSWER, MOST_OCTETS, READY, Order
from heliograph.services.pictures.near import IDLE_S, WORKER, NoWorkers, PictureWorkers
from tests.unit.services.conftest import StillClock
from tests.unit.services.pictures.made import BOMBS, FORMATS, moving, photo, seen, written

GOOD = Order(written(photo(), "image/jpeg"), "image/jpeg", 10_000, 0)
Story = Callable[[PictureWorkers], Awaitable[None]]
Far = Callable[[str], Callable[[], PictureWorkers]]


class Watched(PictureWorkers):
    """Workers that tell when one has been found."""

    def __init__(self, clock: StillClock, *, command: Sequence[str]) -> None:
        super().__init__(clock, command=command)
        self.found = asyncio.Event()

    async def _free(self) -> Any:
        worker = await super()._free()
        self.found.set()
        return worker


def is_there(pid: int) -> bool:
    """Whether there is such a process, be it a dead one."""
    return Path(f"/proc/{pid}").exists()


def variables_of(pid: int) -> set[str]:
    """What the environment of a process names."""
    written_ = Path(f"/proc/{pid}/environ").read_text()
    return {each.partition("=")[0] for each in written_.split("\0") if each}


def wait_for_end(pid: int) -> None:
    """Wait until a process has died, and leave it to its owner to notice."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def tell(story: Story, workers: Callable[[], PictureWorkers] | None = None) -> None:
    """Run a story; no process outlives it."""

    async def go() -> None:
        pool = workers() if workers else PictureWorkers(StillClock())
        try:
            await story(pool)
        finally:
            pids = pool.pids
            await pool.close()
            assert not [pid for pid in pids if is_there(pid)]

    asyncio.run(go())


@pytest.fixture
def far(tmp_path: Path) -> Far:
    """Pools whose workers do as a script says, once they are ready. `run` is the number of the process, from 1."""

    def of(script: str) -> Callable[[], PictureWorkers]:
        path = tmp_path / "far.py"
        path.write_text(
            f"import os, signal, sys, time\ncount = {str(tmp_path / 'count')!r}\n"
            "with open(count, 'a+') as file:\n file.write('x')\n file.seek(0)\n run = len(file.read())\n"
            f"os.write(1, {READY!r})\nos.read(0, 1)\n{script}\n"
        )
        return lambda: Watched(StillClock(), command=[sys.executable, "-I", str(path)])

    return of


def test_all_kinds_pass_through_one_process_that_may_open_nothing() -> None:
    async def story(workers: PictureWorkers) -> None:
        small: dict[str, str] = {}
        for content_type in FORMATS:
            for most_octets in (1 << 20, 6_000):
                picture = written(photo(), content_type)
                content, small[content_type] = await workers.adapt(Order(picture, content_type, most_octets, 0))
                assert len(content) <= most_octets
                assert seen(content).size
        (pid,) = workers.pids
        assert small == dict.fromkeys(FORMATS, "image/jpeg")
        limits = {name: resource.prlimit(pid, number)[0] for name, number in vars(resource).items() if "RLIMIT" in name}
        assert (limits["RLIMIT_NOFILE"], limits["RLIMIT_FSIZE"], limits["RLIMIT_CORE"]) == (0, 0, 0)
        assert limits["RLIMIT_AS"] == 640 * 1024 * 1024
        assert 0 < limits["RLIMIT_CPU"] < 60
        assert variables_of(pid) <= {"PYTHONPATH", "LD_LIBRARY_PATH"}

    tell(story)


def test_bad_pictures_cost_nobody_the_process() -> None:
    async def story(workers: PictureWorkers) -> None:
        for content_type, bomb in BOMBS.items():
            with pytest.raises(BadPicture):
                await workers.adapt(Order(bomb, content_type, 100_000, 0))
        large = Order(written(Image.new("P", (6000, 6000)), "image/tiff", compression="tiff_lzw"), "image/tiff", 9, 0)
        with pytest.raises(BadPicture, match="cannot be made so small"):
            await workers.adapt(large)
        before = workers.pids
        assert len((await workers.adapt(GOOD))[0]) <= GOOD.most_octets
        assert workers.pids == before
        with pytest.raises(BadPicture, match="moves"):
            await workers.adapt(Order(moving(), "image/gif", 10, 0))

    tell(story)


def test_what_is_too_large_is_refused_before_anything_starts() -> None:
    async def story(workers: PictureWorkers) -> None:
        with pytest.raises(BadPicture, match="has 100,000,000 octets"):
            await workers.adapt(Order(bytes(100_000_000), "image/jpeg", 100_000, 0))
        assert MOST_OCTETS < 100_000_000
        assert workers.pids == []

    tell(story)


def test_a_process_killed_in_the_middle_is_replaced(far: Far) -> None:
    good = ANSWER.pack(1, 9, 3) + b"image/gifabc"
    script = f"if run == 1: os.kill(os.getpid(), signal.SIGKILL)\nos.write(1, {good!r})\ntime.sleep(60)"

    async def story(workers: PictureWorkers) -> None:
        assert await workers.adapt(GOOD) == (b"abc", "image/gif")
        assert len(workers.pids) == 1

    tell(story, far(script))


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended the process"),
        ("sys.exit(0)", "ended the process"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "takes too long"),
        (f"os.write(1, {ANSWER.pack(1, 9, 1 << 31)!r} + b'image/gif'); time.sleep(60)", "ended the process"),
        (f"os.write(1, {ANSWER.pack(1, 9, 1)!r} + b'text/html' + b'x'); time.sleep(60)", "ended the process"),
        (f"os.write(1, {ANSWER.pack(0, 4, 0)!r} + b'a' + bytes(3)); time.sleep(60)", "ended the process"),
        (f"os.write(1, {ANSWER.pack(7, 4, 0)!r} + b'text'); time.sleep(60)", "ended the process"),
    ],
)
def test_a_process_that_fails_fails_its_picture_only(script: str, why: str, far: Far) -> None:
    async def story(workers: PictureWorkers) -> None:
        for _ in range(2):
            with pytest.raises(BadPicture, match=why):
                await workers.adapt(GOOD)
            assert workers.pids == []

    tell(story, far(script))


def test_a_process_that_hangs_is_ended(far: Far) -> None:
    async def story(workers: PictureWorkers) -> None:
        workers._picture_s = 0.2
        with pytest.raises(BadPicture, match="takes too long"):
            await workers.adapt(GOOD)
        assert workers.pids == []

    tell(story, far("time.sleep(60)"))


def test_whoever_gives_up_takes_the_process_with_him(far: Far) -> None:
    async def story(workers: PictureWorkers) -> None:
        task = asyncio.create_task(workers.adapt(GOOD))
        assert isinstance(workers, Watched)
        await workers.found.wait()
        (pid,) = workers.pids
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert workers.pids == []
        assert not is_there(pid)

    tell(story, far("time.sleep(60)"))


def test_a_worker_that_cannot_begin_is_nobodys_picture() -> None:
    async def story(workers: PictureWorkers) -> None:
        with pytest.raises(NoWorkers):
            await workers.adapt(GOOD)
        assert workers.pids == []

    tell(story, lambda: PictureWorkers(StillClock(), command=[sys.executable, "-c", ""]))
    tell(story, lambda: PictureWorkers(StillClock(), command=["/nowhere/python"]))


def test_two_at_a_time_and_none_when_there_is_nothing_to_do() -> None:
    clock = StillClock()

    async def story(workers: PictureWorkers) -> None:
        await asyncio.gather(*(workers.adapt(GOOD) for _ in range(6)))
        pids = workers.pids
        assert len(pids) == 2
        os.kill(pids[1], signal.SIGKILL)
        await asyncio.to_thread(wait_for_end, pids[1])
        await workers.adapt(GOOD)
        assert pids[1] not in workers.pids, "one that died meanwhile is noticed before it gets a picture"
        await workers.end_idle()
        assert workers.pids
        clock.at_ms += round(IDLE_S * 1000) + 1
        await workers.end_idle()
        assert workers.pids == []
        await workers.adapt(GOOD)

    tell(story, lambda: PictureWorkers(clock))


def test_only_the_worker_knows_the_library() -> None:
    code = "import sys, heliograph.services.attachments; sys.exit('PIL' in sys.modules)"

    async def go() -> int:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
        return await process.wait()

    assert asyncio.run(go()) == 0
    assert WORKER[-1] == "heliograph.services.pictures.worker"


@pytest.mark.long
def test_seconds_of_the_processor_and_memory_are_limited_in_earnest(tmp_path: Path) -> None:
    large = Image.new("RGBA", (8000, 6000), (1, 2, 3, 4))
    slow = Order(written(large, "image/png"), "image/png", 100_000, 1_000)

    def limited(change: str) -> Callable[[], PictureWorkers]:
        path = tmp_path / "limited.py"
        path.write_text(
            f"from heliograph.services.pictures import worker\nworker.{change}\n"
            "worker.give_up_rights()\nworker.work_off()\n"
        )
        return lambda: PictureWorkers(StillClock(), command=[sys.executable, "-P", str(path)])

    def refused(why: str) -> Story:
        async def story(workers: PictureWorkers) -> None:
            with pytest.raises(BadPicture, match=why):
                await workers.adapt(slow)

        return story

    async def made(workers: PictureWorkers) -> None:
        assert seen((await workers.adapt(slow))[0]).height > 500

    tell(refused("takes too long"), limited("MOST_CPU_S = 0"))
    tell(refused("takes more memory"), limited("MOST_MEMORY = 200 * 1024 * 1024"))
    tell(made)
