"""Calls of one carrier: who we are there, what places are filled with, and how long is waited."""

from collections.abc import Callable
from typing import Final, Protocol

from heliograph.carriers.http.forms import asked_from
from heliograph.carriers.http.lookups import Said
from heliograph.carriers.http.profile import Profile
from heliograph.carriers.http.recipe import Form
from heliograph.carriers.http.templates import Values
from heliograph.core.events import MediaLink
from heliograph.core.messages import Channel, Media, Parcel
from heliograph.core.numbers import sender_from
from heliograph.gsm import alphabet
from heliograph.net.http import Asked, Fetched, Told

MOST_OCTETS: Final = 256 * 1024
"""Of an answer."""

_INTERNATIONAL: Final = 1


class Web(Protocol):
    """`net.http.GuardedClient`, or what a test has in its place."""

    async def ask(self, asked: Asked, *, timeout_s: float, most_octets: int) -> Told:
        """Call, and read the whole answer. Raises CallFailed."""
        ...

    async def get(self, url: str, *, most_octets: int, timeout_s: float) -> Fetched:
        """Fetch a file. Raises CallFailed."""
        ...


class Caller:
    """Calls one carrier. callback: our address for its calls. link: makes an address for a file."""

    def __init__(self, profile: Profile, web: Web, *, callback: str, link: Callable[[Media], MediaLink]) -> None:
        self.profile = profile
        self._web = web
        self._link = link
        self._access = {"user": profile.user, "key": profile.key, "callback": callback}

    @property
    def access(self) -> Values:
        """What the places of every call are filled with."""
        return self._access

    def asked(self, form: Form, **more: str) -> Asked:
        """A call that is about no message."""
        profile = self.profile
        values = {**self._access, **more}
        return asked_from(form, values, base=profile.base, authentication=profile.recipe.authentication)

    def asked_about(self, form: Form, parcel: Parcel) -> Asked:
        """The call that sends a parcel."""
        content, profile = parcel.message.content, self.profile
        links = tuple(self._link(media).url for media in content.media)
        is_wide = None if content.channel is not Channel.SMS else not alphabet.is_encodable(content.text)
        return asked_from(
            form,
            {**self._access, **_values_of(parcel, links)},
            base=profile.base,
            authentication=profile.recipe.authentication,
            is_wide=is_wide,
            key=reference_of(parcel),
        )

    async def call(self, asked: Asked) -> Told:
        """Call. Raises CallFailed."""
        return await self._web.ask(asked, timeout_s=self.profile.timeout_s, most_octets=MOST_OCTETS)

    async def said(self, form: Form, **more: str) -> Said:
        """What a call that is about no message is answered. Raises CallFailed."""
        told = await self.call(self.asked(form, **more))
        return Said(told.body, status=told.status)


def reference_of(parcel: Parcel) -> str:
    """Our name for what a parcel has, the same at every try: these carriers get all of a message at once."""
    return str(parcel.message.message_id)


def _values_of(parcel: Parcel, links: tuple[str, ...]) -> Values:
    message = parcel.message
    content = message.content
    sender = content.sender.removeprefix("+")
    known = sender_from(content.sender)
    is_number = known is not None and known.ton == _INTERNATIONAL
    return {
        "recipient": message.recipient[1:],
        "recipient_plus": message.recipient,
        "sender": sender,
        "sender_plus": f"+{sender}" if is_number else sender,
        "text": content.text,
        "text_hex": content.text.encode("utf-16-be").hex(),
        "reference": reference_of(parcel),
        "template_id": content.traits.template_id,
        "media": links,
        "first_media": links[0] if links else "",
    }
