"""The far side: a process with the message centre that messages are submitted to and the webhook that hears of them.

It sees each message twice, and writes down when: as a submit, and in a call that says it is delivered. Submits are
timed to the millisecond, by the middle of it.
"""

import asyncio
import time
from itertools import takewhile

import msgspec
import uvloop

from heliograph.cli.bench.orders import TELL_S, FarOrder, FarRecords, say, standard_input, write
from heliograph.dialects.touchbasepro.wire import StatusUpdate
from heliograph.net.clock import SystemClock
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.testing.receiver import Call, Receiver

_LOOK_S = 0.02
"""How often the message centre is asked what it took: far more often than it forgets."""

_HALF_MS_NS = 500_000
_NS_IN_MS = 1_000_000


class SteadyClock(SystemClock):
    """Wall-clock time that never jumps and can be turned back into the monotonic clock's."""
