"""The files of an MMS as its carrier gets them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from heliograph.core.ids import SubmissionId
from heliograph.core.messages import Channel, Content, Media, whole_of
from heliograph.pipeline.ports import Attachment, CannotSend, Kept
from heliograph.services import attachments
from heliograph.services.attachments import FittedAttachments, _Remembered, _Wanted
from heliograph.services.media import Links, MediaLibrary
from heliograph.services.pictures.broken import BadPicture
from heliograph.services.pictures.cache import PictureCache
from heliograph.services.pictures.frames import Order
from heliograph.services.pictures.near import NoWorkers, PictureWorkers
from heliograph.store.engine import Store, StoreUnavailable
from heliograph.store.sqlite import SqliteStore
from heliograph.testing.clock import VirtualClock, turns
from heliograph.testing.life import MemoryBlobs, SteppedWriter
from tests.unit.services.conftest import StillClock, Tell
from tests.unit.services.pictures.made import BOMBS, photo, written

PHOTO = written(photo(640, 480), "image/jpeg")
SOUND = b"#!AMR\n" + bytes(3_000)
KEY = bytes(32)


class Scripted(PictureWorkers):
    """Workers that do as told, and count. door: what they wait for."""

    def __init__(self, answer: Callable[[Order], tuple[bytes, str]] | None = None) -> None:
        super().__init__(StillClock())
        self.orders: list[Order] = []
        self._answer = answer or (lambda order: (order.picture[: order.most_octets], "image/jpeg"))
        self.came = asyncio.Event()
        self.door = asyncio.Event()
        self.door.set()

    async def adapt(self, order: Order) -> tuple[bytes, str]:
        """Answer at once, when the door is open."""
        self.orders.append(order)
        self.came.set()
        await self.door.wait()
        return self._answer(order)


class World:
    """A media library and what makes attachments of it."""

    def __init__(self, store: Store, clock: StillClock, folder: Path) -> None:
        assert isinstance(store, SqliteStore)
        self.blobs = MemoryBlobs()
        self.library = MediaLibrary(store, SteppedWriter(store), blobs=self.blobs, clock=clock)
        self.links = Links(KEY, clock, base="https://here.example", good_for_s=3600)
        self.clock = clock
        self.folder = folder

    def fitted(self, workers: PictureWorkers) -> FittedAttachments:
        cache = PictureCache(self.folder, self.clock)
        return FittedAttachments(self.library, self.links, workers=workers, cache=cache, clock=self.clock)

    async def content(self, *files: bytes, text: str = "") -> Content:
        kept = [await self.library.keep(file, "") for file in files]
        media = tuple(Media(f"https://a.example/{place}", *each) for place, each in enumerate(kept))
        return whole_of(SubmissionId(1), channel=Channel.MMS, sender="x", text=text, media=media)


@pytest.fixture
def meet(tell: Tell, clock: StillClock, tmp_path: Path) -> Callable[[Callable[[World], Awaitable[None]]], None]:
    """Run a story with a world."""

    def run(story: Callable[[World], Awaitable[None]]) -> None:
        tell(lambda store: story(World(store, clock, tmp_path / "adapted")))

    return run


Meet = Callable[[Callable[[World], Awaitable[None]]], None]


def test_pictures_share_what_other_files_and_the_text_leave(meet: Meet) -> None:
    async def story(world: World) -> None:
        fitted = world.fitted(workers := PictureWorkers(StillClock()))
        small = written(photo(60, 40), "image/gif")
        content = await world.content(SOUND, PHOTO, written(photo(500, 500), "image/png"), small, text="Look " * 100)
        made = await fitted.of(content, most_octets=40_000)
        assert [each.name for each in made] == ["1.amr", "2.jpg", "3.jpg", "4.gif"]
        assert made[0] == Attachment(SOUND, "audio/amr", "1.amr")
        assert made[3].content == small
        assert 25_000 < sum(len(each.content) for each in made) + 500 <= 40_000
        assert await world.library.read(content.media[1].digest) == PHOTO, "the original is kept"
        await workers.close()

    meet(story)


def test_bad_files_say_why(meet: Meet) -> None:
    async def story(world: World) -> None:
        fitted = world.fitted(workers := PictureWorkers(StillClock()))
        cases = {
            r"file 2 of 2: the picture claims 50,000 by 50,000 pixels": BOMBS["image/png"],
            r"file 2 of 2: the picture is broken or cut short": PHOTO[:-500],
            r"file 2 of 2: the picture is of a kind that cannot be looked into": b"\0\0\0\x18ftypheic" + bytes(90),
            r"files that cannot be made smaller have 3,0\d\d,\d\d\d octets, and 50,000 are left": SOUND * 1000,
        }
        for why, file in cases.items():
            with pytest.raises(CannotSend, match=why):
                await fitted.of(await world.content(PHOTO, file), most_octets=50_000)
        with pytest.raises(CannotSend, match="the text alone"):
            await fitted.of(await world.content(text="x" * 2000), most_octets=1_000)
        assert await fitted.of(await world.content(text="Only words"), most_octets=50_000) == []
        await workers.close()

    meet(story)


def test_a_hundred_megabytes_are_refused_unread(meet: Meet) -> None:
    async def story(world: World) -> None:
        fitted = world.fitted(workers := Scripted())
        content = await world.content(PHOTO)
        content = content._replace(media=(content.media[0]._replace(octets=100_000_000),))
        world.blobs.files.clear()
        with pytest.raises(CannotSend, match="file 1 of 1: the picture has 100,000,000 octets"):
            await fitted.of(content, most_octets=300_000)
        assert workers.orders == []

    meet(story)


def test_ten_thousand_recipients_have_one_picture_made(meet: Meet) -> None:
    async def story(world: World) -> None:
        fitted = world.fitted(workers := Scripted())
        workers.door.clear()
        content = await world.content(PHOTO, text="Hello")
        personal = [content._replace(text=f"Hello {name}") for name in ("Anna", "Maximilian", "")]
        tasks = [
            asyncio.create_task(fitted.of(personal[place % 3], most_octets=9_000, most_side=640))
            for place in range(10_000)
        ]
        await workers.came.wait()
        tasks[0].cancel()
        workers.door.set()
        made = await asyncio.gather(*tasks[1:])
        assert {len(each[0].content) for each in made} == {9_000 - attachments.TEXT_STEP}
        assert len(workers.orders) <= 2, "the one whose caller went away, and the one that stays"
        again = world.fitted(others := Scripted())
        assert await again.of(content, most_octets=9_000, most_side=640) == made[0]
        assert others.orders == [], "another process finds it on disk"
        await again.of(content, most_octets=9_000, most_side=320)
        assert len(others.orders) == 1, "another limit makes another picture"

    meet(story)


def test_what_cannot_be_made_is_not_tried_for_each_recipient(meet: Meet) -> None:
    def bad(order: Order) -> tuple[bytes, str]:
        raise BadPicture("is no good")

    async def story(world: World) -> None:
        fitted = world.fitted(workers := Scripted(bad))
        content = await world.content(PHOTO)
        for _ in range(3):
            with pytest.raises(CannotSend, match="file 1 of 1: the picture is no good"):
                await fitted.of(content, most_octets=9_000)
        assert len(workers.orders) == 1

    meet(story)


def test_trouble_of_ours_passes(meet: Meet) -> None:
    answers: list[Exception] = [NoWorkers("none can be started")]

    def answer(order: Order) -> tuple[bytes, str]:
        if answers:
            raise answers.pop()
        return b"made", "image/jpeg"

    async def story(world: World) -> None:
        fitted = world.fitted(Scripted(answer))
        content = await world.content(PHOTO)
        with pytest.raises(StoreUnavailable, match="none can be started"):
            await fitted.of(content, most_octets=9_000)
        assert await fitted.of(content, most_octets=9_000) == [Attachment(b"made", "image/jpeg", "1.jpg")]

    meet(story)


def test_files_are_found_by_their_digests_alone_or_are_missed(meet: Meet) -> None:
    async def story(world: World) -> None:
        fitted = world.fitted(workers := Scripted())
        content = await world.content(PHOTO)
        bare = content._replace(media=(Media("https://a.example/", content.media[0].digest),))
        assert len(await fitted.of(bare, most_octets=9_000)) == 1
        assert workers.orders[0].content_type == "image/jpeg"
        unknown = content._replace(media=(Media("https://a.example/", "00" * 32),))
        with pytest.raises(CannotSend, match="file 1 of 1: it is not kept any more"):
            await fitted.of(unknown, most_octets=9_000)
        world.blobs.files.clear()
        with pytest.raises(CannotSend, match="file 1 of 1: it is not kept any more"):
            await fitted.of(content, most_octets=8_000)

    meet(story)


def test_the_link_is_of_the_original(meet: Meet) -> None:
    async def story(world: World) -> None:
        content = await world.content(PHOTO)
        media = content.media[0]
        link = world.fitted(Scripted()).link(media)
        assert link == world.links.link(Kept(media.digest, "image/jpeg", len(PHOTO)))
        assert link.url.startswith("https://here.example/media/")

    meet(story)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "REMEMBERED_OCTETS", 10_000)
    remembered = _Remembered()
    for room in range(100):
        remembered.add(_Wanted(("a",), room, 0), [Attachment(bytes(room * 10), "image/gif", "1.gif")])
        remembered.add(_Wanted(("a",), room, 0), [Attachment(bytes(room * 10), "image/gif", "1.gif")])
        remembered.add(_Wanted(("b",), room, 0), "no")
    assert remembered.find(_Wanted(("a",), 99, 0))
    assert remembered.find(_Wanted(("a",), 1, 0)) is None
    assert remembered._octets <= 10_000
    remembered.add(_Wanted(("c",), 0, 0), [Attachment(bytes(20_000), "image/gif", "1.gif")])
    assert remembered._octets == 0


def test_following_tidies_and_ends_with_no_process_left(tmp_path: Path) -> None:
    async def story() -> None:
        clock = VirtualClock()
        workers = PictureWorkers(clock)
        cache = PictureCache(tmp_path, clock)
        library = object.__new__(MediaLibrary)
        links = Links(KEY, clock, base="", good_for_s=1)
        fitted = FittedAttachments(library, links, workers=workers, cache=cache, clock=clock)
        following = asyncio.create_task(fitted.follow())
        await turns()
        await workers.adapt(Order(PHOTO, "image/jpeg", 9_000, 0))
        assert workers.pids
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        assert workers.pids == []

    asyncio.run(story())
