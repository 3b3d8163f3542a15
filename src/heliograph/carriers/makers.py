"""Who drives carriers, and who reads what they call us with: by scheme of the carrier's address.

A driver is imported when there is a carrier for it: most servers have one kind, and start sooner and smaller so.
"""

from collections.abc import Callable
from typing import NamedTuple

from heliograph.carriers.loopback import LoopbackDriver
from heliograph.carriers.smpp.driver import SmppDriver
from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.net.clock import Clock
from heliograph.net.http import GuardedClient
from heliograph.pipeline.ports import (
    Attachments,
    Callback,
    CallbackMaker,
    CarrierMemory,
    Driver,
    DriverMaker,
    Feed,
    Inbox,
    Speaker,
)


class Tools(NamedTuple):
    """What drivers work with. caller: reaches every address, for carriers are the operator's choice.

    public: for addresses that somebody else chose. inbox, memory: of a carrier. callback: our address for its calls.
    """

    clock: Clock
    caller: GuardedClient
    public: GuardedClient
    attachments: Attachments
    speaker: Speaker
    inbox: Callable[[CarrierId], Inbox]
    memory: Callable[[CarrierId], CarrierMemory]
    callback: Callable[[Carrier], str]


def driver_makers(tools: Tools) -> dict[str, DriverMaker]:
    """Who speaks which carrier's protocol."""

    def smpp(carrier: Carrier, feed: Feed) -> Driver:
        return SmppDriver(carrier, feed, tools.clock)

    def loopback(carrier: Carrier, feed: Feed) -> Driver:
        return LoopbackDriver(carrier, feed, tools.clock)

    def mm7(carrier: Carrier, feed: Feed) -> Driver:
        from heliograph.carriers.mm7.driver import Mm7Driver

        return Mm7Driver(carrier, feed, tools.clock, caller=tools.caller, attachments=tools.attachments)

    def sip(carrier: Carrier, feed: Feed) -> Driver:
        from heliograph.carriers.sip.driver import SipDriver

        return SipDriver(carrier, feed, tools.clock, speaker=tools.speaker)

    def http(carrier: Carrier, feed: Feed) -> Driver:
        from heliograph.carriers.http.driver import Around, HttpDriver

        around = Around(
            web=tools.caller,
            public=tools.public,
            callback=tools.callback(carrier),
            link=tools.attachments.link,
            inbox=tools.inbox(carrier.carrier_id),
            memory=tools.memory(carrier.carrier_id),
        )
        return HttpDriver(carrier, feed, tools.clock, around=around)

    return {
        "smpp": smpp,
        "smpps": smpp,
        "loopback": loopback,
        "mm7+http": mm7,
        "mm7+https": mm7,
        "sip": sip,
        "sips": sip,
        "http-recipe": http,
    }


def callback_makers(tools: Tools) -> dict[str, CallbackMaker]:
    """Who reads calls."""

    def mm7(carrier: Carrier, inbox: Inbox) -> Callback:
        from heliograph.carriers.mm7.callback import Mm7Callback

        return Mm7Callback(carrier, inbox)

    def http(carrier: Carrier, inbox: Inbox) -> Callback:
        from heliograph.carriers.http.callback import HttpCallback

        return HttpCallback(carrier, inbox, web=tools.caller, public=tools.public)

    return {"mm7+http": mm7, "mm7+https": mm7, "http-recipe": http}
