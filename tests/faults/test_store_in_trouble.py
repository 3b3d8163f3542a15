"""The disk is full, broken or read-only, or somebody else holds the store: refused, nothing half stored, and back."""

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.sandbox.habits import Habits
from heliograph.testing.served import Reply, Requests
from tests.faults.rig import Rig, live, rig, until

REFUSED = (
    b'{"status":500,"message":"An internal error has occurred. We have been notified about it and will restore '
    b'service functionality as soon as possible."}'
)
OLDER_REFUSED = (
    b'{"Code":1141,"Message":"An internal error has occurred. We have been notified about it and will restore '
    b'service functionality as soon as possible."}'
)
PATIENCE_S = 15.0
SLOW = Habits(response_delay_ms=300, receipt_delay_ms=100)


async def works_again(it: Rig) -> None:
    """Until a request is accepted: without a restart, and with the same process."""
    pid = it.served.pid
    async with asyncio.timeout(PATIENCE_S):
        while (await it.customer.send(1)).status != 202:  # noqa: ASYNC110 (the disk sets no event of ours)
            await asyncio.sleep(0.1)
    assert it.served.pid == pid


async def refused_meanwhile(it: Rig, *, seconds: float) -> None:
    """Requests that come now are refused in the dialect's words; a server that hangs fails."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + seconds
    while loop.time() < until_s:
        async with asyncio.timeout(PATIENCE_S):
            reply = await it.customer.send(2)
        assert (reply.status, reply.body) == (500, REFUSED)
        await asyncio.sleep(0.1)


async def outlived(it: Rig, break_it: Callable[[], object], mend_it: Callable[[], object]) -> None:
    """Load, break the store, be refused, mend it, load again; nothing that was accepted may be missing."""
    await it.served.start()
    await it.customer.load(30)
    await until(lambda: len(it.submits()) >= 15)
    known = dict(it.customer.accepted)
    break_it()
    try:
        # Answers and receipts come meanwhile too, and must not be forgotten.
        await refused_meanwhile(it, seconds=1.5)
        assert it.customer.accepted == known
    finally:
        mend_it()
    await works_again(it)
    await it.customer.load(len(it.customer.tried) + 20)
    outcome = await it.settle()
    outcome.check(Policy.RESEND, window=0)
    assert sum(outcome.states.values()) == len(it.customer.accepted)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are Linux's")
@live
async def test_a_disk_that_takes_no_more_octets(tmp_path: Path) -> None:
    """A limit on the size of files stands for a failing disk: every write ends in an error."""
    async with rig(tmp_path / "data", Policy.RESEND, habits=SLOW) as it:

        def limit(octets: int) -> None:
            for pid in it.served.pids():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))

        await outlived(it, lambda: limit(1), lambda: limit(resource.RLIM_INFINITY))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for little."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "heliograph-test", str(place)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounting.returncode:
        pytest.skip(f"no file system can be mounted here: {mounting.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Leave not one octet free."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 65_536
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    return ballast


@live
async def test_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    async with rig(small_disk / "data", Policy.RESEND, habits=SLOW) as it:
        ballast = small_disk / "ballast"

        def break_it() -> None:
            # What SQLite has room for in its log already would still be taken.
            with closing(sqlite3.connect(it.served.data / "heliograph.sqlite")) as connection:
                connection.execute("pragma wal_checkpoint(truncate)")
            fill(small_disk)

        await outlived(it, break_it, ballast.unlink)


def chattr(flag: str, *paths: Path) -> bool:
    command = shutil.which("chattr")
    if command is None:
        return False
    return not subprocess.run([command, flag, *map(str, paths)], check=False, capture_output=True).returncode


def written(data: Path) -> list[Path]:
    """The folder and what is written with a system call; -shm is shared memory, and no rights hold there."""
    return [data, data / "heliograph.sqlite", data / "heliograph.sqlite-wal"]


@contextmanager
def changeable_at_last(folder: Path) -> Iterator[None]:
    """Whatever happens, the files can be removed afterwards."""
    try:
        yield
    finally:
        chattr("-i", folder, *folder.iterdir())


@live
async def test_a_data_folder_that_becomes_read_only(tmp_path: Path) -> None:
    """Even root cannot write to an immutable file, and what is open already is closed to writing too."""
    probe = tmp_path / "probe"
    probe.touch()
    if not chattr("+i", probe):
        pytest.skip("files cannot be made immutable here: it takes root, chattr and a file system that can")
    chattr("-i", probe)
    data = tmp_path / "data"
    async with rig(data, Policy.RESEND, habits=SLOW) as it:
        with changeable_at_last(data):
            await outlived(
                it,
                lambda: chattr("+i", *written(data)),
                lambda: chattr("-i", *written(data)),
            )


@live
async def test_a_server_that_cannot_write_says_so_and_ends(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with rig(data, Policy.RESEND, habits=SLOW) as it:
        if not chattr("+i", data, data / "heliograph.sqlite"):
            pytest.skip("files cannot be made immutable here: it takes root, chattr and a file system that can")
        with changeable_at_last(data):
            await it.served.start()
            assert await it.served.died() == 1
            (complaint,) = [line for line in it.served.log if line.startswith("heliograph: ")]
            assert str(data) in complaint


@live
async def test_a_foreign_lock_of_six_seconds(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND, habits=SLOW) as it:
        await it.served.start()
        await it.customer.load(30)
        with closing(sqlite3.connect(tmp_path / "heliograph.sqlite", isolation_level=None)) as foreign:
            foreign.execute("begin immediate")
            await refused_meanwhile(it, seconds=6)
            foreign.execute("rollback")
        await works_again(it)
        outcome = await it.settle()
        outcome.check(Policy.RESEND, window=0)
        assert sum(outcome.states.values()) == len(it.customer.accepted)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [("/sms/messages", b'{"text":"Hi","to":["27831234567"]}', REFUSED),
     ("/sms/message", b'{"Text":"Hi","Number":"27831234567"}', OLDER_REFUSED)],
)  # fmt: skip
@live
async def test_both_generations_refuse_in_their_words(tmp_path: Path, path: str, body: bytes, said: bytes) -> None:
    async with rig(tmp_path, Policy.RESEND, habits=SLOW) as it:
        await it.served.start()
        with closing(sqlite3.connect(tmp_path / "heliograph.sqlite", isolation_level=None)) as foreign:
            foreign.execute("begin immediate")
            async with Requests(it.served.port, it.api_key) as requests:
                reply: Reply = await requests.ask("POST", path, body)
            foreign.execute("rollback")
        assert (reply.status, reply.body) == (500, said)
        assert await it.messages() == []
