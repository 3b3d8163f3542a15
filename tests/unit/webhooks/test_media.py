"""The page that hands out files: to whoever has a good link, and so that nothing in them can act."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette

from heliograph.core.links import KEY_OCTETS
from heliograph.core.media_types import EXTENSIONS
from heliograph.pipeline.ports import Kept
from heliograph.services.media import Links
from heliograph.store.engine import StoreUnavailable
from heliograph.webhooks.media import routes

DIGEST = "c0de" * 16
PICTURE = b"GIF89a a picture"
NOW_MS = 1_795_435_200_000


class Still:
    """A clock that is put forward by hand."""

    at_ms = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.at_ms += int(seconds * 1000)


class Shelf:
    """A library with one file, or none, or trouble."""

    def __init__(self, content_type: str = "image/gif") -> None:
        self.kept: Kept | None = Kept(DIGEST, content_type, len(PICTURE))
        self.octets: bytes | None = PICTURE
        self.is_down = False
        self.reads = 0

    async def find(self, digest: str) -> Kept | None:
        if self.is_down:
            raise StoreUnavailable("down")
        return self.kept if digest == DIGEST else None

    async def read(self, digest: str) -> bytes | None:
        self.reads += 1
        return self.octets


class Page:
    """The page and its links."""

    def __init__(self, shelf: Shelf) -> None:
        self.clock = Still()
        self.links = Links(bytes(KEY_OCTETS), self.clock, base="", good_for_s=86_400)
        self._application = Starlette(routes=routes(shelf, self.links))  # type: ignore[arg-type]

    def url(self, content_type: str = "image/gif") -> str:
        return self.links.link(Kept(DIGEST, content_type, 1)).url

    def ask(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(event: Any) -> None:
            sent.append(event)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
            "root_path": "",
        }
        asyncio.run(self._application(scope, receive, send))
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, b"".join(event.get("body", b"") for event in sent[1:])


def test_a_good_link_gives_the_file() -> None:
    page = Page(Shelf())
    status, headers, body = page.ask(page.url())
    assert (status, body) == (200, PICTURE)
    age = int(headers.pop("cache-control").removeprefix("private, max-age=").removesuffix(", immutable"))
    assert 86_400 <= age <= 90_000
    assert headers == {
        "content-type": "image/gif",
        "content-length": str(len(PICTURE)),
        "content-disposition": f'inline; filename="{DIGEST[:16]}.gif"',
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "referrer-policy": "no-referrer",
    }


def test_head_tells_the_same_and_reads_nothing() -> None:
    shelf = Shelf()
    page = Page(shelf)
    status, headers, body = page.ask(page.url(), "HEAD")
    assert (status, body, headers["content-length"], shelf.reads) == (200, b"", str(len(PICTURE)), 0)
    assert headers == page.ask(page.url())[1]


@pytest.mark.parametrize("content_type", EXTENSIONS)
def test_what_could_act_is_saved_and_never_shown(content_type: str) -> None:
    page = Page(Shelf(content_type))
    _, headers, _ = page.ask(page.url(content_type))
    is_shown = content_type.startswith(("image/", "audio/", "video/")) or content_type == "text/plain"
    assert headers["content-disposition"].startswith("inline;" if is_shown else "attachment;")
    assert headers["content-type"].partition(";")[0] == content_type
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "change", ["", "x", "x.gif", ".gif", "%00", "..%2f..%2fetc%2fpasswd", "A" * 92, "A" * 92 + ".gif"]
)
def test_what_is_no_link_is_not_there(change: str) -> None:
    page = Page(Shelf())
    status, headers, body = page.ask("/media/" + change)
    assert status == 404
    if change:
        assert (body, headers["cache-control"]) == (b"There is nothing here.\n", "no-store")


@pytest.mark.parametrize("extension", ["", ".", ".html", ".gif.html", ".GIF", ".jpg"])
def test_a_link_with_another_end_is_not_there(extension: str) -> None:
    page = Page(Shelf())
    assert page.ask(page.url().removesuffix(".gif") + extension)[0] == 404


def test_an_ended_link_a_lost_file_and_a_lost_row_look_the_same() -> None:
    shelf = Shelf()
    page = Page(shelf)
    url = page.url()
    shelf.octets = None
    lost = page.ask(url)
    shelf.kept = None
    unknown = page.ask(url)
    page.clock.at_ms += 90_001_000
    assert lost == unknown == page.ask(url)
    assert lost[0] == 404


def test_a_store_that_is_down_asks_for_patience() -> None:
    shelf = Shelf()
    shelf.is_down = True
    page = Page(shelf)
    status, headers, _ = page.ask(page.url())
    assert (status, headers["retry-after"]) == (503, "5")


def test_only_looking_is_possible() -> None:
    page = Page(Shelf())
    assert {page.ask(page.url(), method)[0] for method in ("POST", "PUT", "DELETE")} == {405}
