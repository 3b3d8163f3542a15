"""The kinds of carriers there are: how the address of each is written, and what reads it.

What reads it is imported when it is needed (see `makers.py`).
"""

from typing import Final

from heliograph.carriers.loopback import delays_of
from heliograph.carriers.smpp.profile import profile_of
from heliograph.core.directory import Carrier, Policy
from heliograph.core.messages import Channel
from heliograph.services.carriers import Kind, Kinds


def _smpp(carrier: Carrier) -> frozenset[Channel]:
    profile_of(carrier)
    return frozenset({Channel.SMS})


def _mm7(carrier: Carrier) -> frozenset[Channel]:
    from heliograph.carriers.mm7.profile import channels_of

    return channels_of(carrier)


def _sip(carrier: Carrier) -> frozenset[Channel]:
    from heliograph.carriers.sip import profile as sip

    sip.profile_of(carrier)
    return frozenset({Channel.VOICE})


def _loopback(carrier: Carrier) -> frozenset[Channel]:
    delays_of(carrier)
    return frozenset(Channel)


def _http(carrier: Carrier) -> frozenset[Channel]:
    from heliograph.carriers.http import profile as http

    return http.profile_of(carrier).recipe.channels


_SMPP: Final = Kind("smpp[s]://SYSTEM_ID:PASSWORD@HOST:PORT", _smpp)
_MM7: Final = Kind("mm7+http[s]://VASPID:PASSWORD@HOST:PORT/PATH", _mm7, calls_back=True)
_SIP: Final = Kind("sip[s]://USER:PASSWORD@HOST:PORT", _sip, policy=Policy.HOLD, window=1)
_HTTP: Final = Kind("http-recipe://USER:KEY@HOST/BASE?recipe=NAME", _http, calls_back=True, takes_whole=True)

KINDS: Final[Kinds] = {
    "smpp": _SMPP,
    "smpps": _SMPP,
    "mm7+http": _MM7,
    "mm7+https": _MM7,
    "sip": _SIP,
    "sips": _SIP,
    "loopback": Kind("loopback:", _loopback),
    "http-recipe": _HTTP,
}
"""By scheme. Who drives them, and who reads their calls, is said in `makers.py`."""


def takes_whole(carrier: Carrier) -> bool:
    """Whether a long text is handed to a carrier in one piece."""
    kind = KINDS.get(carrier.url.partition(":")[0].lower())
    return kind is not None and kind.takes_whole
