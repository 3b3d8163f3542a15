"""Every media store keeps the same contract: a folder, and a bucket of the S3 server of moto."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from heliograph.store.blobs.blobs import Blobs, digest_of
from heliograph.store.blobs.opening import open_blobs
from heliograph.store.engine import StoreUnavailable

# In a process of its own: its libraries are large, and warn.
SERVER = """
import sys, boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
address = "http://%s:%d" % server.get_host_and_port()
boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="media")
print(address, flush=True)
sys.stdin.read()
server.stop()
"""
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
FILES = [b"", b"a", b"\0" * 1_500_000, bytes(range(256)) * 100]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=KEYS,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            yield running.stdout.readline().strip()
        finally:
            running.stdin.close()


@pytest.fixture(params=["folder", "bucket"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where an empty media store is."""
    if request.param == "folder":
        return str(tmp_path / "media")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return f"s3://media/{tmp_path.name}?endpoint={request.getfixturevalue('s3_server')}&region=us-east-1"


Story = Callable[[Blobs], Awaitable[None]]
Play = Callable[[Story], None]


@pytest.fixture
def play(address: str, tmp_path: Path) -> Play:
    """Tell a story about a media store."""

    def run(story: Story) -> None:
        async def told() -> None:
            await story(await open_blobs(address, tmp_path))

        asyncio.run(told())

    return run


def test_what_is_put_is_there(play: Play) -> None:
    async def story(blobs: Blobs) -> None:
        for octets in FILES:
            digest = digest_of(octets)
            assert not await blobs.has(digest)
            assert await blobs.get(digest) is None
            await blobs.put(digest, octets)
            assert await blobs.has(digest)
            assert await blobs.get(digest) == octets

    play(story)


def test_the_same_twice_is_one(play: Play) -> None:
    async def story(blobs: Blobs) -> None:
        digest = digest_of(b"twice")
        await asyncio.gather(*(blobs.put(digest, b"twice") for _ in range(8)))
        await blobs.put(digest, b"twice")
        assert await blobs.get(digest) == b"twice"
        await blobs.delete(digest)
        assert not await blobs.has(digest)

    play(story)


def test_what_is_deleted_is_gone_and_can_come_again(play: Play) -> None:
    async def story(blobs: Blobs) -> None:
        one, other = digest_of(b"one"), digest_of(b"other")
        await blobs.delete(one)
        for digest, octets in ((one, b"one"), (other, b"other")):
            await blobs.put(digest, octets)
        await blobs.delete(one)
        await blobs.delete(one)
        assert (await blobs.get(one), await blobs.get(other)) == (None, b"other")
        await blobs.put(one, b"one")
        assert await blobs.get(one) == b"one"

    play(story)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n", "zz" * 32])
def test_what_is_no_digest_names_no_file(play: Play, digest: str) -> None:
    async def story(blobs: Blobs) -> None:
        for work in (blobs.get(digest), blobs.put(digest, b""), blobs.has(digest), blobs.delete(digest)):
            with pytest.raises(ValueError, match="64 hexadecimal digits"):
                await work

    play(story)


def test_it_is_all_there_for_the_next_process(play: Play) -> None:
    digest = digest_of(b"kept")

    async def before(blobs: Blobs) -> None:
        await blobs.put(digest, b"kept")

    async def after(blobs: Blobs) -> None:
        assert await blobs.get(digest) == b"kept"

    play(before)
    play(after)


def test_a_bucket_that_is_not_there_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, s3_server: str
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    async def story(address: str) -> None:
        blobs = await open_blobs(address, tmp_path)
        with pytest.raises(StoreUnavailable, match="there is no such bucket"):
            await blobs.put(digest_of(b"a"), b"a")

    asyncio.run(story(f"s3://nobodys?endpoint={s3_server}&region=us-east-1"))


def test_a_bucket_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    async def story() -> None:
        # A port nobody listens on: it was ours a moment ago.
        server = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        blobs = await open_blobs(f"s3://media?endpoint=http://127.0.0.1:{port}&region=us-east-1", tmp_path)
        for work in (blobs.get(digest_of(b"a")), blobs.put(digest_of(b"a"), b"a"), blobs.has(digest_of(b"a"))):
            with pytest.raises(StoreUnavailable, match="the media bucket"):
                await work

    asyncio.run(story())
