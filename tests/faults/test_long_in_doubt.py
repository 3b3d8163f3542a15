from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.sandbox.habits import Habits
from tests.faults.rig import LONG, live, rig, until


@pytest.mark.long
@live
async def test_receipts_of_all_segments_settle_a_long_message_in_doubt(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.HOLD, habits=Habits(response_delay_ms=600)) as it:
        await it.served.start()
        reply = await it.customer.send(1, text=LONG)
        assert reply.status == 202
        await until(lambda: len(it.submits()) == 2)
        await it.served.kill()
        await it.served.start()
        outcome = await it.settle()
        outcome.check(Policy.HOLD)
        assert outcome.states == {"delivered": 1}
