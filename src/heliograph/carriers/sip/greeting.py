"""Guessing from the first sounds whether a person or an answering machine has picked up.

A person says a short word and waits; a machine says nothing for long, or talks for long. It is a guess and errs, so
whoever is not surely a machine is treated as a person. The bounds are those that exchanges commonly start with.
"""

from enum import Enum
from typing import Final

from heliograph.rtp.packets import FRAME_MS

LOUD: Final = 256
"""The mean size of a sample from which on somebody is speaking."""

INITIAL_SILENCE_MS: Final = 2_500
GREETING_MS: Final = 1_500
AFTER_GREETING_MS: Final = 800
TOTAL_MS: Final = 5_000
WORD_MS: Final = 100
BETWEEN_WORDS_MS: Final = 50

END_OF_GREETING_MS: Final = 1_500
"""A machine that is silent for so long after it spoke is recording; the signal before is shorter."""

MOST_GREETING_MS: Final = 30_000


class Answerer(Enum):
    """Who picked up."""

    PERSON = "person"
    MACHINE = "machine"
    UNSURE = "unsure"


class Greeting:
    """Listens frame by frame until it knows. who: None until then."""

    def __init__(self) -> None:
        self.who: Answerer | None = None
        self._heard_ms = 0
        self._voice_ms = 0
        self._silence_ms = 0
        self._words_ms = 0

    def hear(self, *, is_loud: bool) -> Answerer | None:
        """Take the next frame in; says who picked up, once it is known."""
        self._heard_ms += FRAME_MS
        if is_loud:
            self._silence_ms = 0
            self._voice_ms += FRAME_MS
            if self._voice_ms >= WORD_MS:
                # Once it is long enough to be a word, its beginning counts too.
                self._words_ms += FRAME_MS if self._voice_ms > WORD_MS else WORD_MS
        else:
            self._silence_ms += FRAME_MS
            if self._silence_ms >= BETWEEN_WORDS_MS:
                self._voice_ms = 0
        if self.who is None:
            self.who = self._judge()
        return self.who

    def _judge(self) -> Answerer | None:
        if not self._words_ms:
            return Answerer.MACHINE if self._heard_ms >= INITIAL_SILENCE_MS else None
        if self._words_ms >= GREETING_MS:
            return Answerer.MACHINE
        if self._silence_ms >= AFTER_GREETING_MS:
            return Answerer.PERSON
        return Answerer.UNSURE if self._heard_ms >= TOTAL_MS else None

    @property
    def is_over(self) -> bool:
        """Whether a machine has said its greeting and listens, or has talked longer than any greeting."""
        return self._silence_ms >= END_OF_GREETING_MS or self._heard_ms >= MOST_GREETING_MS
