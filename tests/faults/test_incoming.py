"""Replies from handsets, from the message centre's socket to the customer's webhook, through kills and cut lines."""

import signal
from pathlib import Path

from heliograph.core.directory import Policy
from heliograph.core.fates import Fate
from heliograph.sandbox.habits import Habits
from tests.faults.rig import Rig, incoming_texts, live, rig, until

OURS, SHARED = "27820000000", "27600"
LONG = "Это длинное сообщение, которое не помещается в один сегмент. " * 4


def number_with(fate: Fate) -> str:
    return "278312" + fate.digits


async def send(it: Rig, recipient: str, *, sender: str) -> None:
    it.customer.tried[recipient] = it.customer.accepted[recipient] = "Hello"
    await it.commands.run(
        "message", "send", "--account", "acme", "--to", recipient, "--text", "Hello", "--from", sender
    )


@live
async def test_replies_to_an_own_number_and_to_a_shared_sender_reach_the_webhook(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND) as it:
        await it.hear_replies(OURS)
        await it.served.start()
        await send(it, number_with(Fate.REPLIES), sender=SHARED)
        await send(it, number_with(Fate.REPLIES_LONG), sender=OURS)
        it.centre.deliver_incoming("27839999999", SHARED, "Who are you?", system_id="rig")
        await until(lambda: len(it.replies()) == 2)
        assert sorted(it.replies()) == sorted([str(Fate.REPLIES.reply), str(Fate.REPLIES_LONG.reply)])
        (await it.settle()).check(Policy.RESEND)
        listed = (await it.commands.run("incoming", "list"))["incoming"]
        assert {(each["sender"], each["account"], each["told"]) for each in listed} == {
            (number_with(Fate.REPLIES), "acme", 1),
            (number_with(Fate.REPLIES_LONG), "acme", 1),
            ("27839999999", None, 0),
        }


@live
async def test_a_restart_in_the_middle_of_a_long_reply(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND, habits=Habits(deliver_window=1)) as it:
        await it.hear_replies(OURS)
        for count in (1, 2):
            # Dies with a segment more in the store, which the carrier does not know and sends again.
            await it.served.start_doomed("incoming.committed", count)
            if count == 1:
                it.centre.deliver_incoming("27831112222", OURS, LONG, system_id="rig")
            assert await it.served.died() == -signal.SIGKILL, "\n".join(it.served.log)
        assert it.replies() == []
        await it.served.start()
        await until(lambda: it.replies() == [LONG])
        (await it.settle()).check(Policy.RESEND)
        assert incoming_texts(tmp_path) == [LONG]


@live
async def test_a_line_that_is_cut_before_the_acknowledgement(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND) as it:
        await it.hear_replies(OURS)
        await it.served.start()
        await until(lambda: it.centre.sessions == 1)
        it.centre.deliver_incoming("27831112222", OURS, "Yes", system_id="rig")
        it.centre.drop_sessions()
        await until(lambda: it.replies() == ["Yes"] and it.centre.delivered == 1)
        (await it.settle()).check(Policy.RESEND)
        assert incoming_texts(tmp_path) == ["Yes"]


@live
async def test_what_came_before_there_was_a_webhook_is_told_when_asked_for(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND) as it:
        await it.commands.run("number", "add", "acme", f"+{OURS}")
        await it.served.start()
        it.centre.deliver_incoming("27831112222", OURS, "Yes", system_id="rig")
        await until(lambda: it.centre.delivered == 1)
        about = ("--dialect", "touchbasepro", "--type", "MessageReply")
        await it.commands.run("webhook", "add", "acme", f"{it.receiver.url}/replies", *about)
        assert await it.commands.run("incoming", "replay", "--number", OURS, "--untold") == {"replayed": 1}
        await until(lambda: it.replies() == ["Yes"])
        (await it.settle()).check(Policy.RESEND)
