"""The page that hands out files of messages to whoever has a link.

A link is the whole right: what is not a good one, or no longer, is not there. Files come from strangers, so a browser
is told to believe our type, to run nothing, and to save what it does not know.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heliograph.core.media_types import EXTENSIONS, OCTETS
from heliograph.pipeline.ports import Kept
from heliograph.services.media import PATH, Links, MediaLibrary
from heliograph.store.engine import StoreUnavailable

RETRY_AFTER_S: Final = 5
# Shown by every browser, and nothing in them can act. All others are saved.
_SHOWN: Final = ("image/", "audio/", "video/", "text/plain")
_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}
_NOTHING: Final = Response("There is nothing here.\n", 404, {**_ALWAYS, "Cache-Control": "no-store"}, "text/plain")


def routes(library: MediaLibrary, links: Links) -> list[Route]:
    """`/media/NAME.EXTENSION`, for GET and HEAD."""

    async def page(request: Request) -> Response:
        good = links.read(request.path_params["name"])
        if good is None:
            return _NOTHING
        digest, extension, left_s = good
        try:
            kept = await library.find(digest)
            if kept is None or extension != EXTENSIONS[kept.content_type]:
                return _NOTHING
            headers = _headers(kept, left_s)
            if request.method == "HEAD":
                return Response(None, 200, headers)
            octets = await library.read(digest)
        except StoreUnavailable:
            return Response("Ask again in a moment.\n", 503, {**_ALWAYS, "Retry-After": f"{RETRY_AFTER_S}"})
        return Response(octets, 200, headers) if octets is not None else _NOTHING

    return [Route(PATH + "{name}", page, methods=["GET", "HEAD"])]


def _headers(kept: Kept, left_s: int) -> Mapping[str, str]:
    content_type = kept.content_type if kept.content_type in EXTENSIONS else OCTETS
    how = "inline" if content_type.startswith(_SHOWN) else "attachment"
    return {
        **_ALWAYS,
        "Content-Type": f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type,
        "Content-Length": str(kept.octets),
        "Content-Disposition": f'{how}; filename="{kept.digest[:16]}.{EXTENSIONS[content_type]}"',
        "Cache-Control": f"private, max-age={left_s}, immutable",
    }
