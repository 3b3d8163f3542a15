"""The engine: eSpeak NG through its C interface (speak_lib.h, version 1.52). Imported by the worker alone."""

import ctypes
from array import array
from collections.abc import Callable
from typing import Any, Final

import espeakng_loader

SYNCHRONOUS: Final = 2
"""AUDIO_OUTPUT_SYNCHRONOUS: samples are handed over as they are made; nothing is played."""
DO_NOT_EXIT: Final = 0x8000
UTF_8: Final = 1
BUFFER_MS: Final = 200
_CHARACTERS: Final = 1
"""POS_CHARACTER"""

_Taker = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class EngineFailed(Exception):
    """The engine does not do as it is told; the text says what."""


class Engine:
    """One for a process: the library keeps its state in globals."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate: int = self._library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data, DO_NOT_EXIT)
        if self.rate <= 0:
            raise EngineFailed("the speech engine does not start")
        self._take: Callable[[bytes], bool] = _nothing
        # The library keeps no reference: whoever lets go of this calls a function that is gone.
        self._taker: Any = _Taker(self._taken)
        self._library.espeak_SetSynthCallback(self._taker)

    def read(self, voice: str, text: str, *, most_samples: int) -> "array[int]":
        """A text's samples at the engine's rate, none at all for what it does not say. Raises EngineFailed."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EngineFailed(f"the speech engine has no voice {voice}")
        samples: array[int] = array("h")

        def take(octets: bytes) -> bool:
            samples.frombytes(octets)
            return len(samples) <= most_samples

        self._take = take
        # No flag but the encoding: neither markup nor phonemes in a text mean anything.
        written = text.encode() + b"\0"
        status = self._library.espeak_Synth(written, len(written), 0, _CHARACTERS, 0, UTF_8, None, None)
        if status != 0:
            raise EngineFailed(f"the speech engine reports error {status}")
        if len(samples) > most_samples:
            raise EngineFailed("the text takes too long to be read")
        return samples

    def _taken(self, place: int | None, count: int, _events: int | None) -> int:
        """Called by the library with samples; 1 asks it to stop."""
        if not place or count <= 0:
            return 0
        return 0 if self._take(ctypes.string_at(place, 2 * count)) else 1


def _nothing(_octets: bytes) -> bool:
    return True
