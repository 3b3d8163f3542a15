"""One call as its line waits for it: answered or not, and ended."""

import asyncio

from heliograph.net.rtp import Place, RtpStream, is_address
from heliograph.sip.events import Answered, CallEvent, Ended, Failed, MediaMoved
from heliograph.sip.sdp import Stream


class Call:
    """What became of a call so far. answer: whether there was one; end: of an answered call.

    What is heard before the answer comes from the network and not from the person called: nobody is told of it. speech:
    what the callee hears; it goes where the callee wants it, and waits while the callee holds the call.
    """

    def __init__(self, speech: RtpStream) -> None:
        loop = asyncio.get_running_loop()
        self.speech = speech
        self.answer: asyncio.Future[Answered | Failed] = loop.create_future()
        self.end: asyncio.Future[Ended] = loop.create_future()

    def on_events(self, events: list[CallEvent]) -> None:
        """What `net.sip` calls."""
        for event in events:
            match event:
                case Answered() | Failed():
                    if not self.answer.done():
                        self.answer.set_result(event)
                case Ended():
                    if not self.end.done():
                        self.end.set_result(event)
                case MediaMoved(stream=stream):
                    self._move(stream)
                case _:
                    pass

    def _move(self, stream: Stream) -> None:
        self.speech.is_held = not stream.sends
        if stream.sends and is_address(stream.host):
            self.speech.move(Place(stream.host, stream.port))
