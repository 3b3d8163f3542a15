"""Who drives carriers, and who reads what they call us with: by scheme of the carrier's address."""

from typing import NamedTuple

from heliograph.carriers.loopback import LoopbackDriver
from heliograph.carriers.mm7.callback import Mm7Callback
from heliograph.carriers.mm7.driver import Mm7Driver
from heliograph.carriers.sip.driver import SipDriver
from heliograph.carriers.smpp.driver import SmppDriver
from heliograph.core.directory import Carrier
from heliograph.net.clock import Clock
from heliograph.net.http import GuardedClient
from heliograph.pipeline.ports import Attachments, CallbackMaker, Driver, DriverMaker, Feed, Speaker


class Tools(NamedTuple):
    """What drivers work with. caller: reaches every address, for carriers are the operator's choice."""

    clock: Clock
    caller: GuardedClient
    attachments: Attachments
    speaker: Speaker


def driver_makers(tools: Tools) -> dict[str, DriverMaker]:
    """Who speaks which carrier's protocol."""

    def smpp(carrier: Carrier, feed: Feed) -> Driver:
        return SmppDriver(carrier, feed, tools.clock)

    def loopback(carrier: Carrier, feed: Feed) -> Driver:
        return LoopbackDriver(carrier, feed, tools.clock)

    def mm7(carrier: Carrier, feed: Feed) -> Driver:
        return Mm7Driver(carrier, feed, tools.clock, caller=tools.caller, attachments=tools.attachments)

    def sip(carrier: Carrier, feed: Feed) -> Driver:
        return SipDriver(carrier, feed, tools.clock, speaker=tools.speaker)

    return {
        "smpp": smpp,
        "smpps": smpp,
        "loopback": loopback,
        "mm7+http": mm7,
        "mm7+https": mm7,
        "sip": sip,
        "sips": sip,
    }


def callback_makers() -> dict[str, CallbackMaker]:
    """Who reads calls."""
    return {"mm7+http": Mm7Callback, "mm7+https": Mm7Callback}
