"""What tests of carriers over HTTP are told with: carriers, parcels, and a web that is a script."""

import asyncio
from collections.abc import Callable

from heliograph.carriers.http.caller import Caller
from heliograph.carriers.http.profile import profile_of
from heliograph.core.directory import Carrier
from heliograph.core.events import MediaLink
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import WHOLE, Channel, Content, Media, Message, Parcel, Traits, whole_of
from heliograph.gsm import segments
from heliograph.net.http import Asked, CallFailed, Fetched, Told

CALLBACK = "https://us.example/carriers/up/signature"


def carrier(recipe: str, *, settings: dict[str, object] | None = None, base: str = "") -> Carrier:
    """A carrier that speaks as a recipe says."""
    return Carrier(
        carrier_id=CarrierId(1),
        name="up",
        url=f"http-recipe://shop:1%7Cs%2Fcret@up.example:8443{base}?recipe={recipe}",
        channels=frozenset({Channel.SMS}),
        settings=settings or {},
    )


def parcel(text: str = "Hello", *, number: int = 7, sender: str = "27820000001", template_id: str = "") -> Parcel:
    """A text, however long, in one piece."""
    encoding, cut = segments.split(text, reference=7)
    content = Content(SubmissionId(1), sender, text, encoding, cut, traits=Traits(template_id))
    return Parcel(_message(content, number), WHOLE if len(cut) > 1 else 0)


def mms(text: str = "Look", *, files: int = 1) -> Parcel:
    """An MMS."""
    media = tuple(Media(f"https://a.example/{each}", f"{each:064x}", "image/png", 70) for each in range(files))
    content = whole_of(SubmissionId(1), channel=Channel.MMS, sender="27820000001", text=text, media=media)
    return Parcel(_message(content, 7), 0)


def _message(content: Content, number: int) -> Message:
    return Message(AccountId(1), MessageId(number), "+27831234567", content, (CarrierId(1),), 2**62)


def link(media: Media) -> MediaLink:
    """An address of a file that says which one it is."""
    return MediaLink(f"https://us.example/media/{media.digest[-4:]}.png", media.content_type, media.octets)


class Script:
    """A `Web` that answers what it is told to. asked: all calls. files: by address."""

    def __init__(self, answer: Callable[[Asked], Told | CallFailed] | None = None) -> None:
        self.asked: list[Asked] = []
        self.files: dict[str, Fetched | CallFailed] = {}
        self.fetched: list[str] = []
        self.answer = answer or (lambda _: Told(200, "application/json", b"{}"))
        self.door = asyncio.Event()
        self.door.set()

    async def ask(self, asked: Asked, *, timeout_s: float, most_octets: int) -> Told:
        """Note a call, wait until the door is open, and answer."""
        self.asked.append(asked)
        await self.door.wait()
        told = self.answer(asked)
        if isinstance(told, CallFailed):
            raise told
        return told

    async def get(self, url: str, *, most_octets: int, timeout_s: float) -> Fetched:
        """Give a file."""
        self.fetched.append(url)
        found = self.files.get(url, CallFailed("answered 404"))
        if isinstance(found, CallFailed):
            raise found
        return found


def caller(recipe: str, web: Script | None = None, *, settings: dict[str, object] | None = None) -> Caller:
    """A caller of a carrier."""
    return Caller(profile_of(carrier(recipe, settings=settings)), web or Script(), callback=CALLBACK, link=link)
