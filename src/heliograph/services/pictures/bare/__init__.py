"""Pictures without what they say beside themselves: where and when they were taken, with what, by whom.

Octets in, octets out, nothing decoded: what is seen stays the same to the last pixel. Kept is what is needed to show
the picture; whatever else is there, known or not, is left out, and so is what follows its end. Each module raises
`BadPicture` for a picture that does not reach its end.
"""

from collections.abc import Callable
from typing import Final

from heliograph.services.pictures.bare.gif import bare_gif
from heliograph.services.pictures.bare.jpeg import bare_jpeg
from heliograph.services.pictures.bare.png import bare_png
from heliograph.services.pictures.bare.webp import bare_webp

BARE: Final[dict[str, Callable[[bytes], bytes]]] = {
    "image/jpeg": bare_jpeg,
    "image/png": bare_png,
    "image/gif": bare_gif,
    "image/webp": bare_webp,
}
"""The kinds that can be sent as they came."""
