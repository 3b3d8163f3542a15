"""The presentation of a message: what is shown after what. Source: OMA MMS Conformance 1.2 §7.1 (MMS SMIL)."""

from collections.abc import Sequence
from typing import Final

from heliograph.mm7.tree import escaped

MEDIA_TYPE: Final = "application/smil"

TEXT_MS: Final = 8_000
PICTURE_MS: Final = 5_000
"""How long a slide stays that has no length of its own."""

_ELEMENTS: Final = {"text/plain": "text", "image": "img", "audio": "audio", "video": "video"}
_HEAD: Final = (
    "<smil><head><layout>"
    '<root-layout width="100%" height="100%"/>'
    '<region id="Image" left="0" top="0" width="100%" height="100%" fit="meet"/>'
    '<region id="Text" left="0" top="0" width="100%" height="100%" fit="scroll"/>'
    "</layout></head><body>"
)


def presentation(files: Sequence[tuple[str, str]]) -> bytes:
    """A slide for each file, given as its name and media type; what is no text, picture, sound or film has none.

    >>> presentation([("a.txt", "text/plain"), ("b.pdf", "application/pdf")]).decode()[-72:]
    '<par dur="8000ms"><text src="a.txt" region="Text"/></par></body></smil>\\n'
    """
    slides = "".join(_slide(name, media_type) for name, media_type in files)
    return f"{_HEAD}{slides}</body></smil>\n".encode()


def _slide(name: str, media_type: str) -> str:
    element = _ELEMENTS.get(media_type) or _ELEMENTS.get(media_type.partition("/")[0])
    source = f'src="{escaped(name)}"'
    match element:
        case "text":
            return f'<par dur="{TEXT_MS}ms"><text {source} region="Text"/></par>'
        case "img":
            return f'<par dur="{PICTURE_MS}ms"><img {source} region="Image"/></par>'
        case "video":
            return f'<par><video {source} region="Image"/></par>'
        case "audio":
            return f"<par><audio {source}/></par>"
        case _:
            return ""
