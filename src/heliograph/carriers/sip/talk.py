"""What is heard and said once a call is answered: who picked up, the speech, and why it came to an end."""

import asyncio
from collections import deque
from typing import Final

from heliograph.carriers.sip.call import Call
from heliograph.carriers.sip.greeting import LOUD, Answerer, Greeting
from heliograph.net.clock import Clock
from heliograph.rtp.g711 import Law, loudness
from heliograph.rtp.packets import FRAME_MS, RtpPacket

MOST_HELD_S: Final = 60.0
"""How long a callee may hold the call."""

NO_WAY: Final = "no way for the speech"
"""Why a call ended in which nothing was heard, whatever was said."""

_WATCH_S: Final = 0.5
_MOST_UNREACHABLE: Final = 3
_MOST_FRAMES_BEHIND: Final = 5
_LAWS: Final = {law.value: law for law in Law}


async def picked_up(call: Call, clock: Clock, *, waits: bool) -> Answerer:
    """Listen until it is known who picked up. waits: of a machine, until it has said its greeting."""
    frames: deque[bool] = deque(maxlen=_MOST_FRAMES_BEHIND)

    def listen(packet: RtpPacket) -> None:
        law = _LAWS.get(packet.payload_type)
        if law is not None:
            frames.append(loudness(packet.payload, law) >= LOUD)

    greeting, due = Greeting(), clock.monotonic()
    call.speech.listen = listen
    try:
        while not call.end.done():
            due += FRAME_MS / 1_000
            await clock.sleep(max(0.0, due - clock.monotonic()))
            # A phone that sends nothing while nobody speaks is silent too.
            who = greeting.hear(is_loud=frames.popleft() if frames else False)
            if who is not None and not (waits and who is Answerer.MACHINE and not greeting.is_over):
                return who
    finally:
        call.speech.listen = None
    return Answerer.UNSURE


async def say(call: Call, octets: bytes, clock: Clock, *, silence_s: int) -> str:
    """Say it all, or what there is time for until the callee hangs up; returns why it was not all, or nothing."""
    saying = asyncio.create_task(call.speech.play(octets))
    watching = asyncio.create_task(_watch(call, clock, silence_s))
    tasks = (saying, watching)
    try:
        await asyncio.wait((*tasks, call.end), return_when=asyncio.FIRST_COMPLETED)
        if saying.done():
            return ""
        return watching.result() if watching.done() else "hung up"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _watch(call: Call, clock: Clock, silence_s: int) -> str:
    """Why it is no use to go on; for ever while it is."""
    speech, started, held_s = call.speech, clock.monotonic(), 0.0
    while True:
        await clock.sleep(_WATCH_S)
        held_s = held_s + _WATCH_S if speech.is_held else 0.0
        if held_s >= MOST_HELD_S:
            return "held too long"
        if speech.unreachable >= _MOST_UNREACHABLE:
            return NO_WAY
        heard_at = started if speech.heard_at is None else speech.heard_at
        if silence_s and not speech.is_held and clock.monotonic() - heard_at >= silence_s:
            return "nothing heard"
