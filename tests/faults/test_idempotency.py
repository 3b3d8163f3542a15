import asyncio
import json
import signal
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.testing.served import Requests
from tests.faults.rig import GRANT, TROUBLE, live, rig


@live
async def test_a_repeated_request_after_a_kill_has_one_effect(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        for point in ("accept.stored", "accept.committed"):
            group.create_task(repeated(tmp_path / point, point))


async def repeated(folder: Path, point: str) -> None:
    async with rig(folder, Policy.RESEND) as it:
        await it.served.start_doomed(point, 1)
        numbers = it.customer.fresh("Hello", 3)
        async with Requests(it.served.port, it.api_key) as requests:
            with pytest.raises(TROUBLE):
                await requests.send(numbers, "Hello", key="order-1")
        assert await it.served.died() == -signal.SIGKILL
        await it.served.start()
        answers = []
        async with Requests(it.served.port, it.api_key) as requests:
            answers = [await requests.send(numbers, "Hello", key="order-1") for _ in range(3)]
            other = await requests.send(numbers, "Other", key="order-1")
        assert [answer.status for answer in answers] == [202, 202, 202]
        assert len({answer.body for answer in answers}) == 1
        assert other.status == 422
        documents = await it.quiet()
        shown = [message["apiMessageId"] for message in json.loads(answers[0].body)["messages"]]
        assert sorted(shown) == sorted(document["id"] for document in documents)
        assert sum(it.submits().values()) == 3
        assert await it.account() == (GRANT - 3, 0, 3)
