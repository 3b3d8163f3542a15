"""What is asked for at a carrier that tells of nothing: receipts, singly and by the list, and what came in."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from heliograph.carriers.http import polling
from heliograph.carriers.http.callback import Files
from heliograph.carriers.http.polling import Poller
from heliograph.core.receipts import Receipt
from heliograph.core.states import MessageState
from heliograph.net.http import Asked, CallFailed, Told
from heliograph.testing.feeds import NotingFeed, NotingSession
from tests.unit.carriers.http.stories import Script, caller
from tests.unit.carriers.http.test_driver import HastyClock, Memory, live

OURS, HANDSET = "27820000001", "27831234567"
S = MessageState


def sent(uid: str, status: str) -> dict[str, str]:
    return {"uid": uid, "to": HANDSET, "from": OURS, "message": "m", "status": status, "cost": "1"}


def came(uid: str, text: str = "yes") -> dict[str, str]:
    return {"uid": uid, "to": OURS, "from": HANDSET, "message": text, "status": "Delivered", "cost": "0"}


class Site:
    """TextBoost: rows newest first, two on a page. pages: which were asked for; singly: which messages."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.pages: list[int] = []
        self.singly: list[str] = []
        self.fails: Callable[[Asked], bool] = lambda _: False

    def answer(self, asked: Asked) -> Told | CallFailed:
        if self.fails(asked):
            return Told(200, "", b'{"status": "error", "message": "Too Many Attempts."}')
        url = urlsplit(asked.url)
        if url.path.endswith("/sms"):
            page = int(parse_qs(url.query)["page"][0])
            self.pages.append(page)
            return self._told({"data": self.rows[2 * page - 2 : 2 * page]})
        uid = url.path.rpartition("/")[2]
        self.singly.append(uid)
        found = [row for row in self.rows if row["uid"] == uid]
        return self._told(found[0]) if found else Told(404, "", b'{"status": "error"}')

    def _told(self, data: Any) -> Told:
        return Told(200, "", json.dumps({"status": "success", "data": data}).encode())


class Ask:
    """A poller at a site."""

    def __init__(self, site: Site, memory: Memory | None = None, *, numbers: str = OURS) -> None:
        self.feed, self.memory, self.clock, self.site = NotingFeed(), memory or Memory(), HastyClock(), site
        web = Script(site.answer)
        it = caller("textboost", web, settings={"numbers": numbers} if numbers else {})
        polls = it.profile.recipe.polling
        assert polls is not None
        files = Files(it.profile, web=web, public=web)
        inbox = NotingSession(self.feed, 0)
        self.poller = Poller(it, polls, self.clock, inbox=inbox, files=files, memory=self.memory)

    async def round(self) -> bool:
        self.site.pages.clear()
        self.site.singly.clear()
        return await self.poller.round()

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.feed.incoming]


@live
async def test_receipts_are_found_in_the_list_and_each_is_told_once() -> None:
    site = Site()
    site.rows = [sent("old", "Delivered")]
    ask = Ask(site)
    await ask.poller.begin()
    ask.poller.note(["0a1", "a2", "a3"])
    site.rows = [sent("a3", "Enroute"), sent("a2", "Undelivered"), sent("0a1", "Delivered"), *site.rows]
    assert await ask.round()
    assert ask.feed.receipts == [
        Receipt("a2", S.UNDELIVERED, (HANDSET, OURS), "Undelivered"),
        Receipt("a1", S.DELIVERED, (HANDSET, OURS), "Delivered"),
    ]
    assert (site.pages, site.singly) == ([1, 2], [])
    assert not await ask.round()
    site.rows[0]["status"] = "Expired"
    assert await ask.round()
    assert [receipt.state for receipt in ask.feed.receipts[2:]] == [S.EXPIRED]


@live
async def test_what_the_list_does_not_show_is_asked_for_singly_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "SINGLY", 2)
    site = Site()
    ask = Ask(site, numbers="")
    await ask.poller.begin()
    ask.poller.note(["a1", "a2", "a3"])
    site.rows = [sent(f"n{number}", "Delivered") for number in range(10)]
    site.rows += [sent("a1", "Enroute"), sent("a3", "Delivered")]
    turns = []
    for _ in range(3):
        await ask.round()
        turns.append(list(site.singly))
        assert site.pages == [1]
    assert turns == [["a1", "a2"], ["a3", "a1"], ["a2", "a1"]]
    assert [receipt.key for receipt in ask.feed.receipts] == ["a3"]


@live
async def test_what_came_in_is_taken_once_oldest_first_and_never_what_was_there_before() -> None:
    site = Site()
    site.rows = [came("i0", "long ago")]
    ask = Ask(site)
    await ask.poller.begin()
    site.rows = [came("i3", "three"), sent("x", "Delivered"), came("i2", "two"), came("i1", "one"), *site.rows]
    assert await ask.round()
    assert ask.texts == ["one", "two", "three"]
    assert {(each.sender, each.recipient) for each in ask.feed.incoming} == {(HANDSET, OURS)}
    assert len({each.udh for each in ask.feed.incoming}) == 3
    assert not await ask.round()
    assert site.pages == [1]


@live
async def test_a_restart_goes_on_where_the_last_one_stopped() -> None:
    site, memory = Site(), Memory()
    await Ask(site, memory).poller.begin()
    site.rows = [came("i1", "one")]
    again = Ask(site, memory)
    await again.poller.begin()
    await again.round()
    assert again.texts == ["one"]
    third = Ask(site, memory)
    await third.poller.begin()
    await third.round()
    assert third.texts == []


@live
async def test_what_could_not_be_stored_is_read_again() -> None:
    site = Site()
    ask = Ask(site)
    await ask.poller.begin()
    ask.poller.note(["a1"])
    site.rows = [came("i1"), sent("a1", "Delivered")]
    ask.feed.storing = "never"
    await ask.round()
    ask.feed.storing = "at once"
    await ask.round()
    assert ask.texts == ["yes", "yes"]
    assert [receipt.key for receipt in ask.feed.receipts] == ["a1", "a1"]
    assert len({each.udh for each in ask.feed.incoming}) == 1


@live
async def test_a_page_that_is_refused_is_no_end_of_the_list() -> None:
    site = Site()
    site.rows = [came("i0")]
    ask = Ask(site)
    await ask.poller.begin()
    site.rows = [came("i3"), came("i2"), came("i1"), *site.rows]
    site.fails = lambda asked: "page=2" in asked.url
    with pytest.raises(CallFailed):
        await ask.round()
    assert ask.texts == []
    site.fails = lambda _: False
    await ask.round()
    assert len(ask.texts) == 3


@live
async def test_without_numbers_nothing_is_taken_in() -> None:
    site = Site()
    ask = Ask(site, numbers="")
    await ask.poller.begin()
    site.rows = [came("i1")]
    ask.poller.note(["a1"])
    await ask.round()
    assert (ask.texts, ask.memory.mark) == ([], "")


@live
async def test_rounds_go_on_for_ever_slower_while_there_is_no_news() -> None:
    site = Site()
    ask = Ask(site, Memory("a1"))
    await ask.poller.begin()
    running = asyncio.create_task(ask.poller.run())
    while len(ask.clock.slept) < 8:  # noqa: ASYNC110 (a clock tells nobody)
        await asyncio.sleep(0)
    site.rows = [sent("a1", "Delivered")]
    await ask.feed.until(lambda: len(ask.feed.receipts) == 1)
    running.cancel()
    await asyncio.wait((running,))
    assert ask.clock.slept[:7] == [5.0, 10.0, 20.0, 40.0, 80.0, 120.0, 120.0]
