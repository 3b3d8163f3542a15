"""Our end of a carrier's calls: read, their files fetched, stored, and only then answered well.

What the recipe does not understand is answered well, too, and logged: refused, it would come again for days, or the
carrier would take our address for a dead one.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import structlog

from heliograph.carriers.http.caller import Web
from heliograph.carriers.http.calls import Arrived, incoming_of, read
from heliograph.carriers.http.lookups import Said
from heliograph.carriers.http.profile import Profile, profile_of
from heliograph.core.directory import Carrier
from heliograph.core.messages import Channel
from heliograph.net.http import CallFailed
from heliograph.pipeline.ports import CallAnswer, CarrierCall, Inbox, Incoming, IncomingMedia, Stored

FETCH_S: Final = 15.0
MOST_MEDIA_OCTETS: Final = 5 * 1024 * 1024

_LATER: Final = CallAnswer(503, b"It could not be stored. Call again in a moment.\n")
_PRESENTATION: Final = "application/smil"
_log = structlog.get_logger(__name__)


class HttpCallback:
    """Implements `ports.Callback`. web: for files at the carrier's own host. public: for those anywhere else.

    Raises BadCarrier when the carrier's recipe or settings are wrong.
    """

    def __init__(self, carrier: Carrier, inbox: Inbox, *, web: Web, public: Web) -> None:
        profile = profile_of(carrier)
        self._readers = profile.recipe.readers
        self._values = {"numbers": profile.numbers}
        self._inbox = inbox
        self._files = Files(profile, web=web, public=public)
        self._log = _log.bind(carrier=carrier.name)

    async def called(self, call: CarrierCall) -> CallAnswer:
        """As the port asks."""
        said = Said(call.body, path=call.path, query=call.query, headers=call.headers)
        found = read(said, self._readers, self._values)
        if found.odd:
            self._log.warning("call not understood", things=found.odd, octets=len(call.body), path=call.path[:40])
        try:
            incoming = await self._files.fetched(found.arrived)
        except CallFailed as error:
            self._log.warning("a file of an incoming message could not be fetched", why=str(error))
            return _LATER
        are_stored = [
            await handed_over(lambda stored: self._inbox.receive(found.receipts, stored)) if found.receipts else True,
            await handed_over(lambda stored: self._inbox.take_in(incoming, stored)) if incoming else True,
        ]
        return CallAnswer(found.status, found.text.encode()) if all(are_stored) else _LATER


async def handed_over(hand: Callable[[Stored], None]) -> bool:
    """Hand something to the pipeline and wait until it is known whether it is stored."""
    stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def done(is_stored: bool) -> None:
        if not stored.done():
            stored.set_result(is_stored)

    hand(done)
    return await stored


class Files:
    """Fetches what incoming messages name."""

    def __init__(self, profile: Profile, *, web: Web, public: Web) -> None:
        self._host = profile.host
        self._web = web
        self._public = public

    async def fetched(self, arrived: list[Arrived]) -> list[Incoming]:
        """The messages with their files. Raises CallFailed when one may be there a minute later.

        A file that is surely lost is left out. One that is a text is the text of a message without any, as some
        carriers have it; one that says how to show the others is nothing for people.
        """
        return [await self._with_files(*each) if each.media else each.incoming for each in arrived]

    async def _with_files(self, incoming: Incoming, urls: tuple[str, ...]) -> Incoming:
        files = [file for file in await asyncio.gather(*map(self._file, urls)) if file is not None]
        media = tuple(file for file in files if _kind(file) != _PRESENTATION)
        texts = [file for file in media if _kind(file) == "text/plain"]
        if texts and not incoming.text:
            text = texts[0].content.decode("utf-8", "replace").replace("\0", "")
            incoming = incoming_of(incoming.sender, incoming.recipient, text)
            media = tuple(file for file in media if file is not texts[0])
        return incoming._replace(channel=Channel.MMS, media=media, udh=b"")

    async def _file(self, url: str) -> IncomingMedia | None:
        try:
            is_own = urlsplit(url).hostname == self._host
            web = self._web if is_own else self._public
            found = await web.get(url, most_octets=MOST_MEDIA_OCTETS, timeout_s=FETCH_S)
        except ValueError:
            return None
        except CallFailed as error:
            if error.is_passing:
                raise
            _log.warning("a file of an incoming message is lost", why=str(error))
            return None
        return IncomingMedia(found.content, found.declared, url.partition("?")[0].rpartition("/")[2][:100])


def _kind(file: IncomingMedia) -> str:
    return file.declared.partition(";")[0].strip().lower()
