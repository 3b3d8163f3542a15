"""A carrier's call is answered well when all of it is stored, and not before."""

import asyncio
import json
from typing import Literal

import pytest

from heliograph.carriers.http.callback import HttpCallback
from heliograph.core.messages import Channel
from heliograph.net.http import CallFailed, Fetched
from heliograph.pipeline.ports import CallAnswer, CarrierCall, IncomingMedia
from heliograph.testing.feeds import NotingFeed, NotingSession
from tests.unit.carriers.http.stories import Script, carrier

RECEIPT = {
    "RefId": "77", "From": "27831234567", "To": ["27820000001"], "Message": "id:1 stat:DELIVRD err:000",
    "DeliveryReceipt": True,
}  # fmt: skip
OWN, OTHER = "https://up.example:8443/f/a.jpg", "https://files.example/b.txt?c"
MMS = {"From": "27831234567", "To": ["27820000001"], "Message": "", "MediaURLs": [OWN, OTHER]}


class Post:
    """A callback of BulkVS's, and where its files are."""

    def __init__(self, storing: Literal["at once", "never", "by hand"] = "at once") -> None:
        self.feed = NotingFeed(storing=storing)
        self.web, self.public = Script(), Script()
        self._callback = HttpCallback(carrier("bulkvs"), NotingSession(self.feed, 0), web=self.web, public=self.public)

    async def post(self, body: object) -> CallAnswer:
        return await self._callback.called(CarrierCall("POST", "", "", {}, json.dumps(body).encode()))


def test_it_is_stored_first() -> None:
    async def story() -> None:
        post = Post("by hand")
        calling = asyncio.create_task(post.post(RECEIPT))
        await post.feed.until(lambda: len(post.feed.unsettled) == 1)
        assert not calling.done()
        post.feed.unsettled.pop()(True)
        assert (await calling).status == 200

    asyncio.run(story())


@pytest.mark.parametrize("body", [RECEIPT, {**MMS, "MediaURLs": []}])
def test_what_could_not_be_stored_is_to_come_again(body: object) -> None:
    async def story() -> None:
        assert (await Post("never").post(body)).status == 503

    asyncio.run(story())


def test_files_are_fetched_each_by_whom_may() -> None:
    async def story() -> None:
        post = Post()
        post.web.files[OWN] = Fetched(200, b"JPEG", "image/jpeg")
        post.public.files[OTHER] = Fetched(200, "grün".encode(), "text/plain; charset=utf-8")
        assert (await post.post(MMS)) == CallAnswer(200, b"OK")
        assert (post.web.fetched, post.public.fetched) == ([OWN], [OTHER])
        (found,) = post.feed.incoming
        # The one text among the files is the text of a message that has none.
        assert (found.channel, found.text) == (Channel.MMS, "grün")
        assert found.media == (IncomingMedia(b"JPEG", "image/jpeg", "a.jpg"),)

    asyncio.run(story())


def test_a_file_that_is_lost_is_left_out_and_how_to_show_them_too() -> None:
    async def story() -> None:
        post = Post()
        post.public.files[OTHER] = Fetched(200, b"<smil/>", "application/smil")
        assert (await post.post({**MMS, "Message": "hello", "MediaURLs": [OWN, OTHER, "https://[bad"]})).status == 200
        (found,) = post.feed.incoming
        assert (found.channel, found.text, found.media) == (Channel.MMS, "hello", ())

    asyncio.run(story())


def test_a_file_that_may_be_there_later_is_waited_for() -> None:
    async def story() -> None:
        post = Post()
        post.web.files[OWN] = CallFailed("answered 503", is_passing=True)
        assert (await post.post(MMS)).status == 503
        assert post.feed.incoming == []

    asyncio.run(story())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff" * 100])
def test_what_nobody_understands_is_answered_well(body: bytes) -> None:
    async def story() -> None:
        post = Post()
        callback = HttpCallback(carrier("bulkvs"), NotingSession(post.feed, 0), web=post.web, public=post.public)
        assert (await callback.called(CarrierCall("GET", "/x", "a=b", {}, body))).status == 200
        assert post.feed.told == []

    asyncio.run(story())
