"""Files kept, handed out and forgotten."""

import asyncio
import re

import pytest
from sqlalchemy import insert

from heliograph.core.links import KEY_OCTETS
from heliograph.pipeline.ports import Kept
from heliograph.services.media import SPARED_MS, Links, MediaLibrary, key_of
from heliograph.store.blobs.blobs import digest_of
from heliograph.store.engine import Store, StoreUnavailable
from heliograph.store.schema import incoming_media, media, submission_media
from heliograph.store.sqlite import SqliteStore
from heliograph.testing.life import MemoryBlobs, SteppedWriter
from tests.unit.services.conftest import StillClock, Tell

PICTURE = b"GIF89a a picture"
KEPT = Kept(digest_of(PICTURE), "image/gif", len(PICTURE))


class Shelf(MemoryBlobs):
    """A media store with a door. is_full: nothing more goes in."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False
        self.door = asyncio.Event()
        self.door.set()
        self.came = asyncio.Event()

    async def put(self, digest: str, octets: bytes) -> None:
        """Keep it, when the door is open."""
        if self.is_full:
            raise StoreUnavailable("full")
        await super().put(digest, octets)

    async def delete(self, digest: str) -> None:
        """Forget it, when the door is open."""
        self.came.set()
        await self.door.wait()
        await super().delete(digest)


def library_of(store: Store, clock: StillClock, blobs: Shelf) -> MediaLibrary:
    assert isinstance(store, SqliteStore)
    return MediaLibrary(store, SteppedWriter(store), blobs=blobs, clock=clock)


def test_a_file_is_kept_by_what_is_in_it(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        blobs = Shelf()
        library = library_of(store, clock, blobs)
        assert await library.keep(PICTURE, "text/html") == KEPT
        assert await library.keep(PICTURE, "") == KEPT
        page = b"<html><script>x()</script>"
        assert (await library.keep(page, "image/gif")).content_type == "application/octet-stream"
        assert await library.find(KEPT.digest) == KEPT
        assert await library.read(KEPT.digest) == PICTURE
        assert await library.find("00" * 32) is None
        assert await library.read("00" * 32) is None
        assert len(blobs.files) == 2

    tell(story)


def test_a_file_that_does_not_fit_is_told_and_can_come_again(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        blobs = Shelf()
        library = library_of(store, clock, blobs)
        blobs.is_full = True
        with pytest.raises(StoreUnavailable):
            await library.keep(PICTURE, "")
        blobs.is_full = False
        assert await library.keep(PICTURE, "") == KEPT
        assert await library.read(KEPT.digest) == PICTURE

    tell(story)


@pytest.mark.parametrize("by", ["nothing", "a submission", "a message that came in"])
def test_what_nothing_refers_to_is_forgotten_after_a_day(tell: Tell, clock: StillClock, by: str) -> None:
    async def story(store: Store) -> None:
        blobs = Shelf()
        library = library_of(store, clock, blobs)
        await library.keep(PICTURE, "")
        async with store.writing() as connection:
            row = {"account_id": 1, "position": 0, "digest": KEPT.digest}
            if by == "a submission":
                await connection.execute(
                    insert(submission_media).values(**row, submission_id=1, url="http://a.example/")
                )
            elif by == "a message that came in":
                await connection.execute(insert(incoming_media).values(**row, incoming_id=1))
        clock.at_ms += SPARED_MS
        await library.forget_unneeded()
        assert await library.find(KEPT.digest) == KEPT
        clock.at_ms += 1
        await library.forget_unneeded()
        is_kept = by != "nothing"
        assert (await library.find(KEPT.digest) is not None, KEPT.digest in blobs.files) == (is_kept, is_kept)

    tell(story)


def test_what_is_kept_again_is_spared(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        library = library_of(store, clock, Shelf())
        await library.keep(PICTURE, "")
        clock.at_ms += SPARED_MS + 1
        await library.keep(PICTURE, "")
        await library.forget_unneeded()
        assert await library.read(KEPT.digest) == PICTURE

    tell(story)


def test_whoever_keeps_a_file_that_is_being_forgotten_has_it_afterwards(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        blobs = Shelf()
        library = library_of(store, clock, blobs)
        await library.keep(PICTURE, "")
        clock.at_ms += SPARED_MS + 1
        blobs.door.clear()
        forgetting = asyncio.ensure_future(library.forget_unneeded())
        await blobs.came.wait()
        keeping = asyncio.ensure_future(library.keep(PICTURE, ""))
        for _ in range(20):
            await asyncio.sleep(0)
        blobs.door.set()
        await asyncio.gather(forgetting, keeping)
        assert await library.find(KEPT.digest) == KEPT
        assert await library.read(KEPT.digest) == PICTURE

    tell(story)


def test_many_files_are_looked_at_in_turns(tell: Tell, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heliograph.services.media.PAGE", 2)
    monkeypatch.setattr("heliograph.services.media.PAGES", 2)

    async def story(store: Store) -> None:
        blobs = Shelf()
        library = library_of(store, clock, blobs)
        digests = sorted(digest_of(bytes([number])) for number in range(9))
        async with store.writing() as connection:
            row = {"content_type": "image/gif", "octets": 1, "stored_at_ms": 0}
            await connection.execute(insert(media), [{"digest": digest, **row} for digest in digests])
        left = []
        for _ in range(4):
            async with store.reading() as connection:
                left.append(len((await connection.execute(media.select())).all()))
            await library.forget_unneeded()
        assert left == [9, 5, 1, 0]

    tell(story)


def test_the_key_is_made_once(tell: Tell) -> None:
    async def story(store: Store) -> None:
        first = await key_of(store, lambda count: b"k" * count)
        assert first == b"k" * KEY_OCTETS
        assert await key_of(store, lambda count: b"x" * count) == first

    tell(story)


def test_processes_that_start_together_have_one_key(tell: Tell) -> None:
    async def story(store: Store) -> None:
        keys = await asyncio.gather(*(key_of(store, lambda count, own=own: bytes([own]) * count) for own in range(4)))  # type: ignore[misc]
        assert len(set(keys)) == 1

    tell(story)


def test_a_link_ends_by_itself(clock: StillClock) -> None:
    links = Links(bytes(KEY_OCTETS), clock, base="https://sms.example", good_for_s=86_400)
    link = links.link(KEPT)
    assert re.fullmatch(r"https://sms\.example/media/[A-Za-z0-9_-]{92}\.gif", link.url)
    assert (link.content_type, link.octets) == ("image/gif", len(PICTURE))
    name = link.url.rpartition("/")[2]
    found = links.read(name)
    assert found is not None
    assert found[:2] == (KEPT.digest, "gif")
    assert 86_400 <= found[2] <= 86_400 + 3_600
    clock.at_ms += 86_400_000
    assert links.read(name) is not None
    clock.at_ms += 3_601_000
    assert links.read(name) is None
    assert links.read("") is None


def test_a_link_of_one_hour_is_one_link(clock: StillClock) -> None:
    clock.at_ms = clock.at_ms // 3_600_000 * 3_600_000
    links = Links(bytes(KEY_OCTETS), clock, base="", good_for_s=86_400)
    first = links.link(KEPT)
    clock.at_ms += 3_599_999
    assert links.link(KEPT) == first
    clock.at_ms += 1
    assert links.link(KEPT) != first
