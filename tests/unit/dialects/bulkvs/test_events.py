import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import pytest

from heliograph.core.directory import Webhook
from heliograph.core.events import Event, EventKind, MediaLink, Reply
from heliograph.core.ids import AccountId, MessageId, SubmissionId, WebhookId, first_at, uuid_from
from heliograph.core.states import MessageState
from heliograph.dialects.bulkvs.events import RECEIPT_WORDS, SETTINGS, Events
from heliograph.pipeline.ports import EventWriter
from tests.unit.dialects.world import MARK, NOW_MS, account_of

S = MessageState
WRITER: EventWriter = Events()
MESSAGE, SUBMISSION = MessageId(first_at(1_794_999_000_000) + 5), SubmissionId(first_at(1_794_999_000_000) + 4)
TEXT = "100% sure, “yes” + ☀"
PICTURE = MediaLink("https://sms.example/media/abc.png", "image/png", 12345)


def webhook_with(settings: Mapping[str, object]) -> Webhook:
    return Webhook(
        webhook_id=WebhookId(1),
        account_id=AccountId(7),
        dialect="bulkvs",
        kind=EventKind.REPLY,
        url="https://example.com/",
        secret="",
        name="Default",
        settings=settings,
    )


def reply(*media: MediaLink, text: str = TEXT) -> Reply:
    return Reply(AccountId(7), MESSAGE, S.RECEIVED, NOW_MS, "13105551212", "13109060901", text, media)


def ended(state: MessageState) -> Event:
    return Event(AccountId(7), MESSAGE, state, NOW_MS, "+13105551212", None, "13109060901", SUBMISSION, "stat:X")


def body_of(event: Event | Reply, **settings: object) -> bytes:
    return WRITER.write([event], webhook=webhook_with(settings), account=account_of(), at_ms=NOW_MS)


def told(event: Event | Reply, **settings: object) -> Any:
    return json.loads(body_of(event, **settings))


def test_a_message_is_told_with_its_text_encoded_as_a_form_s() -> None:
    assert body_of(reply(text="Yes, please")) == (
        b'{"From":"13105551212","To":["13109060901"],"Message":"Yes%2C+please"}'
    )
    message = told(reply())["Message"]
    assert re.fullmatch(r"([A-Za-z0-9_.~+-]|%[0-9A-F]{2})*", message)
    assert unquote_plus(message) == TEXT


def test_a_message_is_told_with_plain_text_when_the_webhook_wants_it() -> None:
    assert told(reply(), plain=True)["Message"] == TEXT


def test_media_are_addresses() -> None:
    body = told(reply(PICTURE, text=""))
    assert body == {"From": "13105551212", "To": ["13109060901"], "Message": "", "MediaURLs": [PICTURE.url]}


def test_a_receipt_is_marked_and_names_the_send() -> None:
    body = told(ended(S.DELIVERED), receipts=True)
    message = unquote_plus(body.pop("Message"))
    assert body == {
        "RefId": uuid_from(SUBMISSION, MARK),
        "From": "13105551212",
        "To": ["13109060901"],
        "DeliveryReceipt": True,
    }
    assert message == (
        f"id:{MESSAGE:016x}{MARK} sub:001 dlvrd:001 submit date:2611181050 done date:2611181106"
        " stat:DELIVRD err:000 text:"
    )
    assert list(told(ended(S.DELIVERED))) == ["RefId", "From", "To", "Message", "DeliveryReceipt"]
    assert told(ended(S.DELIVERED), plain=True)["Message"] == message


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (S.DELIVERED, "DELIVRD"),
        (S.UNDELIVERED, "UNDELIV"),
        (S.EXPIRED, "EXPIRED"),
        (S.REJECTED, "REJECTD"),
        (S.FAILED, "UNDELIV"),
        (S.CANCELLED, "DELETED"),
        (S.UNKNOWN, "UNKNOWN"),
    ],
)
def test_ends_have_the_words_of_receipts(state: MessageState, word: str) -> None:
    text = unquote_plus(told(ended(state))["Message"])
    assert f" stat:{word} " in text
    assert ("dlvrd:001" in text, "err:000" in text) == (state is S.DELIVERED, state is S.DELIVERED)


def test_receipts_are_told_to_those_who_asked_and_in_3cx_form_only_when_the_operator_agrees() -> None:
    received, all_of_it = frozenset({S.RECEIVED}), frozenset({S.RECEIVED, *RECEIPT_WORDS})
    assert {state for state in S if state.is_terminal} == all_of_it
    for settings, wanted in (
        ({}, received),
        ({"receipts": False}, received),
        ({"receipts": True}, all_of_it),
        ({"receipts": True, "method": "3CX"}, received),
        ({"receipts": True, "method": "3CX", "receipts_3cx": True}, all_of_it),
        ({"receipts": False, "method": "3CX", "receipts_3cx": True}, received),
    ):
        assert WRITER.told(webhook_with(settings)) == wanted


def test_what_can_be_set_is_what_is_looked_at() -> None:
    assert set(SETTINGS) == {"description", "method", "receipts", "plain", "receipts_3cx"}
    for name, values in SETTINGS.items():
        for value in values:
            settings = {"receipts": True, name: value}
            assert S.RECEIVED in WRITER.told(webhook_with(settings))
            assert body_of(reply(), **settings)


def test_3cx_is_told_in_its_own_form() -> None:
    assert body_of(reply(PICTURE), method="3CX").decode() == (
        f'{{"data":{{"event_type":"message.received","id":"{uuid_from(MESSAGE, MARK)}",'
        '"occurred_at":"2026-11-18T11:06:40.000Z","record_type":"event","payload":{"direction":"inbound",'
        '"type":"MMS","record_type":"message","received_at":"2026-11-18T11:06:40.000Z",'
        f'"text":"{TEXT}","from":{{"phone_number":"+13105551212"}},'
        '"to":[{"phone_number":"+13109060901","status":"webhook_delivered"}],'
        '"media":[{"url":"https://sms.example/media/abc.png","content_type":"image/png","size":12345}]}}}'
    )
    payload = told(reply(), method="3CX")["data"]["payload"]
    assert (payload["type"], payload["media"], payload["text"]) == ("SMS", [], TEXT)


@pytest.mark.parametrize("state", sorted(RECEIPT_WORDS))
def test_a_receipt_in_3cx_form_says_that_a_message_is_final(state: MessageState) -> None:
    data = told(ended(state), method="3CX")["data"]
    assert data["event_type"] == "message.finalized"
    payload = data["payload"]
    assert (payload["direction"], payload["id"]) == ("outbound", uuid_from(SUBMISSION, MARK))
    assert payload["from"] == {"phone_number": "+13109060901"}
    assert payload["to"][0]["phone_number"] == "+13105551212"
    assert (payload["to"][0]["status"] == "delivered") is (state is S.DELIVERED)


def test_every_event_is_told_alone_and_at_once() -> None:
    assert (WRITER.most_events, WRITER.linger_s) == (1, 0)
