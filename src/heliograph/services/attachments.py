"""The files of an MMS as its carrier gets them. The pipeline's `Attachments`.

Originals stay in the media library as they came. What is made of them is made once for all messages that have the
same files and the same room: whoever comes second waits for the first, and later ones find it in memory or in the
cache. So it is with what cannot be made, or ten thousand recipients of one bad picture would have it looked at ten
thousand times.
"""

import asyncio
from collections import OrderedDict
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from heliograph.core.events import MediaLink
from heliograph.core.media_types import EXTENSIONS, OCTETS
from heliograph.core.messages import Content, Media
from heliograph.net.clock import Clock
from heliograph.pipeline.ports import Attachment, CannotSend, Kept
from heliograph.services.media import Links, MediaLibrary
from heliograph.services.pictures.broken import BadPicture
from heliograph.services.pictures.cache import PictureCache, Wish
from heliograph.services.pictures.frames import MOST_OCTETS, VERSION, Order
from heliograph.services.pictures.near import NoWorkers, PictureWorkers
from heliograph.services.pictures.sharing import TooMuch, is_picture, shares
from heliograph.store.engine import StoreUnavailable

TEXT_STEP: Final = 1024
"""Texts are counted in steps, so that personal ones of about a length leave their pictures the same room."""
AT_ONCE: Final = 4
"""Messages whose files are read and made at a time."""
REMEMBERED_OCTETS: Final = 32 * 1024 * 1024
TIDY_S: Final = 600.0


class _Wanted(NamedTuple):
    """What makes the files of two messages the same."""

    digests: tuple[str, ...]
    room: int
    most_side: int


class _Remembered:
    """The latest files made, and the latest that could not be, within so many octets."""

    def __init__(self) -> None:
        self._made: OrderedDict[_Wanted, list[Attachment] | str] = OrderedDict()
        self._octets = 0

    def find(self, wanted: _Wanted) -> list[Attachment] | None:
        """Files made before; raises CannotSend again."""
        made = self._made.get(wanted)
        if made is None:
            return None
        self._made.move_to_end(wanted)
        if isinstance(made, str):
            raise CannotSend(made)
        return list(made)

    def add(self, wanted: _Wanted, made: list[Attachment] | str) -> None:
        """Remember, and forget the oldest."""
        if wanted in self._made:
            self._octets -= _octets_of(self._made.pop(wanted))
        self._made[wanted] = made
        self._octets += _octets_of(made)
        while self._octets > REMEMBERED_OCTETS:
            _, oldest = self._made.popitem(last=False)
            self._octets -= _octets_of(oldest)


class FittedAttachments:
    """Implements `pipeline.ports.Attachments`. `follow` ends idle workers and tidies the cache."""

    def __init__(
        self, library: MediaLibrary, links: Links, *, workers: PictureWorkers, cache: PictureCache, clock: Clock
    ) -> None:
        self._library = library
        self._links = links
        self._workers = workers
        self._cache = cache
        self._clock = clock
        self._remembered = _Remembered()
        self._locks: WeakValueDictionary[_Wanted, asyncio.Lock] = WeakValueDictionary()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def of(self, content: Content, *, most_octets: int, most_side: int = 0) -> list[Attachment]:
        """The files of a message, its text counted with them. Raises CannotSend, StoreUnavailable.

        most_octets: of all of them as they are; what a protocol makes of them in transit is for its driver to know.
        """
        room = most_octets - -(-len(content.text.encode()) // TEXT_STEP) * TEXT_STEP
        if room < 0:
            raise CannotSend(f"the text alone is more than the {most_octets:,} octets that the carrier takes")
        wanted = _Wanted(tuple(media.digest for media in content.media), room, most_side)
        lock = self._locks.setdefault(wanted, asyncio.Lock())
        async with lock:
            found = self._remembered.find(wanted)
            if found is not None:
                return found
            try:
                async with self._places:
                    made = await self._make(content.media, room, most_side)
            except CannotSend as failure:
                self._remembered.add(wanted, str(failure))
                raise
            self._remembered.add(wanted, made)
            return list(made)

    def link(self, media: Media) -> MediaLink:
        """An address of the original, for a while."""
        return self._links.link(Kept(media.digest, media.content_type or OCTETS, media.octets))

    async def follow(self) -> None:
        """Tidy up behind the messages; for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._workers.follow(), name="picture workers")
            while True:
                await asyncio.to_thread(self._cache.tidy)
                await self._clock.sleep(TIDY_S)

    async def _make(self, files: tuple[Media, ...], room: int, most_side: int) -> list[Attachment]:
        kept = [await self._known(media, _which(place, files)) for place, media in enumerate(files)]
        try:
            most = shares([(each.content_type, each.octets) for each in kept], room)
        except TooMuch as much:
            why = f"files that cannot be made smaller have {much.octets:,} octets, and {room:,} are left for them"
            raise CannotSend(why) from much
        made: list[Attachment] = []
        for place, file in enumerate(kept):
            which = _which(place, files)
            if is_picture(file.content_type):
                wish = Wish(file.digest, most[place], most_side, VERSION)
                content, content_type = await self._picture(file, wish, which)
            else:
                content, content_type = await self._read(file, which), file.content_type
            made.append(Attachment(content, content_type, f"{place + 1}.{EXTENSIONS[content_type]}"))
        return made

    async def _picture(self, file: Kept, wish: Wish, which: str) -> tuple[bytes, str]:
        found = await asyncio.to_thread(self._cache.find, wish)
        if found is not None:
            return found
        if file.octets > MOST_OCTETS:
            raise CannotSend(f"{which}: the picture has {file.octets:,} octets; at most {MOST_OCTETS:,} are looked at")
        order = Order(await self._read(file, which), file.content_type, wish.most_octets, wish.most_side)
        try:
            made = await self._workers.adapt(order)
        except BadPicture as bad:
            raise CannotSend(f"{which}: the picture {bad}") from bad
        except NoWorkers as none:
            raise StoreUnavailable(str(none)) from none
        await asyncio.to_thread(self._cache.keep, wish, *made)
        return made

    async def _known(self, media: Media, which: str) -> Kept:
        if media.content_type in EXTENSIONS and media.octets:
            return Kept(media.digest, media.content_type, media.octets)
        found = await self._library.find(media.digest)
        if found is None:
            raise CannotSend(f"{which}: it is not kept any more")
        return found

    async def _read(self, file: Kept, which: str) -> bytes:
        octets = await self._library.read(file.digest)
        if octets is None:
            raise CannotSend(f"{which}: it is not kept any more")
        return octets


def _which(place: int, files: tuple[Media, ...]) -> str:
    return f"file {place + 1} of {len(files)}"


def _octets_of(made: list[Attachment] | str) -> int:
    return len(made) if isinstance(made, str) else sum(len(each.content) for each in made) + 1024
