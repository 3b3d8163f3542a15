"""What one simulation is about: a seed decides on everything, and each kind of thing has dice of its own.

So a kind that is left out changes nothing of what the others do, as long as nothing follows from it.
"""

import random
from dataclasses import dataclass
from typing import Final

CUSTOMERS: Final = ("long", "scheduled", "mms", "repeats")
"""What customers do beside sending a short text at once."""

CARRIERS: Final = ("late", "silent", "busy", "drops", "receipts", "handsets")
"""What carriers do: answer late, never or not now, drop sessions, send odd receipts and incoming messages."""

PEOPLE: Final = ("cancels", "top-ups", "suspensions", "limits")
TROUBLES: Final = ("kills", "crash-points", "restarts", "jumps", "disk", "webhooks", "hurry")
KINDS: Final = (*CUSTOMERS, *CARRIERS, *PEOPLE, *TROUBLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """hours: of simulated time. rate: messages a second, about. without: kinds that do not happen.

    database: a word for the store's engine, as `drill --database` has it; "" for a file.
    """

    seed: int
    hours: float = 10.0
    rate: float = 1.2
    without: frozenset[str] = frozenset()
    database: str = ""

    def has(self, kind: str) -> bool:
        """Whether a kind of thing happens."""
        assert kind in KINDS, kind
        return kind not in self.without

    def dice(self, what: str) -> random.Random:
        """Dice that nobody else throws."""
        return random.Random(f"{self.seed} {what}")

    def command(self) -> str:
        """How to see it again."""
        without = f" --without {','.join(sorted(self.without))}" if self.without else ""
        database = f" --database {self.database}" if self.database else ""
        return f"heliograph drill --seed {self.seed} --hours {self.hours:g}{database}{without}"
