"""Between messages and calls: whom a message calls, as whom, and what is said to whoever answers."""

from collections.abc import Iterator
from typing import Final

from heliograph.carriers.sip.profile import Partial, Profile
from heliograph.core.messages import Parcel
from heliograph.core.receipts import Receipt, match_key
from heliograph.core.states import MessageState
from heliograph.rtp.g711 import RATE_HZ, Law, encode, silence
from heliograph.sip.outgoing import Invitation
from heliograph.sip.sdp import Codec, Media
from heliograph.sip.uris import NameAddr, SipUri

TAIL_MS: Final = 400
"""Silence behind the last word, so that it is heard before we hang up: phones play a little later than they hear."""

SLICE_OCTETS: Final = 2 * RATE_HZ
"""Samples that are encoded at once: a second's, which takes less than a millisecond."""

_OCTETS_A_MS: Final = RATE_HZ // 1_000


def invitation_from(parcel: Parcel, profile: Profile, *, host: str, port: int) -> Invitation:
    """The call for a message. host, port: where speech is heard, as the carrier sees it."""
    message = parcel.message
    domain = profile.domain or profile.host
    # A domain is looked up by whoever serves it; a host is called at its port.
    at_port = None if profile.domain else profile.port
    called = SipUri(user=number_from(message.recipient, profile), host=domain, port=at_port)
    caller = SipUri(user=caller_from(message.content.sender, profile), host=domain)
    media = Media(host=host, port=port, codecs=tuple(Codec[law.name] for law in profile.laws))
    return Invitation(called=called, caller=NameAddr(uri=caller), media=media, credentials=profile.credentials)


def number_from(written: str, profile: Profile) -> str:
    """A number as the carrier wants it.

    >>> from heliograph.sip.digest import Credentials
    >>> number_from("+27831234567", Profile(host="carrier.example", port=5060, credentials=None, has_plus=False))
    '27831234567'
    """
    digits = written.removeprefix("+")
    return f"+{digits}" if profile.has_plus else digits


def caller_from(sender: str, profile: Profile) -> str:
    """Whose number is shown: the sender's, when it is one; else what the operator chose, or the carrier's user."""
    digits = sender.removeprefix("+")
    if digits.isdecimal() and digits.isascii():
        # A short code is no number of the world.
        return number_from(digits, profile) if len(digits) > 6 else digits
    return profile.caller or (profile.credentials.user if profile.credentials is not None else "anonymous")


class Script:
    """What is said in one call. law: of `octets`. once_octets: how much must have been said for all to be said once."""

    def __init__(self, speech: bytes, profile: Profile, law: Law) -> None:
        """speech: G.711 by the law."""
        self.law = law
        pause, between, tail = (
            silence(ms * _OCTETS_A_MS, law) for ms in (profile.pause_ms, profile.between_ms, TAIL_MS)
        )
        self.pause_octets = len(pause)
        self.once_octets = len(pause) + len(speech)
        self.octets = pause + between.join([speech] * profile.times) + tail


def slices_of(samples: bytes, law: Law) -> Iterator[bytes]:
    """Speech as octets, a second at a time: whoever does more at once holds up the packets of other calls."""
    for start in range(0, len(samples), SLICE_OCTETS):
        yield encode(samples[start : start + SLICE_OCTETS], law)


def receipt_of(parcel: Parcel, call_id: str, *, state: MessageState, error: str) -> Receipt:
    """How the call ended."""
    message = parcel.message
    addresses = (message.recipient.removeprefix("+"), message.content.sender.removeprefix("+"))
    return Receipt(match_key(call_id, is_hex=False), state, addresses, error)


def state_after(said_octets: int, script: Script, partial: Partial) -> MessageState:
    """The end of a message of which so much was said before the call was over."""
    if said_octets >= script.once_octets:
        return MessageState.DELIVERED
    if said_octets <= script.pause_octets or partial is Partial.UNDELIVERED:
        return MessageState.UNDELIVERED
    return MessageState.DELIVERED
