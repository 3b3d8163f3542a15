"""A phone in a process of its own, which tells how well each of its calls was received, a line of JSON for each."""

import asyncio
import json
import sys
from typing import Any

import uvloop

from heliograph.net.clock import SystemClock
from heliograph.sandbox.phone import HeardCall, Manners, Phone
from heliograph.testing.speech import likeness, murmur


def tell(kind: str, value: Any) -> None:
    sys.stdout.write(json.dumps({kind: value}) + "\n")
    sys.stdout.flush()


def quality(call: HeardCall, *, said: bytes | None) -> dict[str, Any]:
    """How well a call was received. said: what should have been heard; it takes a while to compare."""
    heard = call.speech.heard if call.speech is not None else None
    assert heard is not None
    return {
        "called": call.called,
        "received": heard.received,
        "lost": heard.lost,
        "jitter_ms": round(heard.jitter_s * 1000, 2),
        "worst_ms": round(heard.worst_s * 1000, 2),
        "likeness": None if said is None else likeness(said, call.recording.samples()[: len(said) + 8_000]),
    }


async def main() -> None:
    told: set[int] = set()
    # As `testing.speech.Murmur` says "Hello".
    said = murmur("Hello/en-gb/female", seconds=1.0)

    def changed() -> None:
        tell("going", sum(call.speech is not None and not call.is_over for call in phone.calls))
        if all(call.is_over for call in phone.calls):
            for number, call in enumerate(phone.calls):
                if number not in told and call.speech is not None:
                    told.add(number)
                    tell("call", quality(call, said=None if number % 10 else said))

    phone = Phone(SystemClock(), manners=Manners(ring_s=0.1), changed=changed)
    tell("port", await phone.start("127.0.0.1", 0))
    await asyncio.Event().wait()


uvloop.run(main())
