"""How the octets that a carrier takes are shared among the files of one message: a function of their sizes."""

from collections.abc import Sequence
from typing import Final

from heliograph.services.pictures.bare import BARE

LEAST_SHARE: Final = 24_000
"""What a picture should have at least, before one that may move is left as large as it is."""
_MOVING: Final = "image/gif"
_ANY: Final = 1 << 40


class TooMuch(Exception):
    """What cannot be made smaller is too much already; octets: how much it is."""

    def __init__(self, octets: int) -> None:
        super().__init__(octets)
        self.octets = octets


def shares(files: Sequence[tuple[str, int]], room: int) -> list[int]:
    """The octets that each file may have. files: their types and sizes. Raises TooMuch.

    Files that are no pictures have what they need. Then GIFs, which often move and then cannot be made smaller, if
    enough is left for the others; then pictures that need less than an equal share, which the others have more for.

    >>> shares([("audio/amr", 50_000), ("image/jpeg", 30_000), ("image/png", 900_000)], 300_000)
    [50000, 30000, 220000]
    >>> shares([("image/gif", 250_000), ("image/jpeg", 900_000)], 300_000)
    [250000, 50000]
    """
    given = [0 if is_picture(kind) else octets for kind, octets in files]
    left = room - sum(given)
    # What cannot stay what it is may need more octets than it had.
    wanted = {place: octets if kind in BARE else _ANY for place, (kind, octets) in enumerate(files) if is_picture(kind)}
    if left < 0 or (wanted and left < len(wanted)):
        raise TooMuch(sum(given))
    in_order = sorted(wanted, key=wanted.__getitem__)
    for place in in_order:
        needed = wanted[place]
        if files[place][0] == _MOVING and left - needed >= LEAST_SHARE * (len(wanted) - 1):
            given[place] = needed
            left -= needed
            del wanted[place]
    for place in in_order:
        if place in wanted:
            given[place] = min(wanted[place], left // len(wanted))
            left -= given[place]
            del wanted[place]
    return given


def is_picture(content_type: str) -> bool:
    """Whether a file is one that can be made smaller, if at all."""
    return content_type.startswith("image/")
