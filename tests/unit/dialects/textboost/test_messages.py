import asyncio
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core.messages import Channel, Refusal, Traits
from heliograph.core.reasons import Reason
from heliograph.core.voice import LANGUAGES
from heliograph.dialects.textboost.messages import recipients_from
from tests.unit.dialects.textboost.calls import ROOTS, STRICT, call, send
from tests.unit.dialects.world import NOW_MS, Caller, World, account_of, world_with

SENT = "Your message was successfully delivered"
LISTED = "Message is scheduled successfully."


def sent(world: World) -> list[str]:
    return [message.recipient for message in world.stored.values()]


def test_one_number_gets_a_message_and_the_caller_its_report() -> None:
    said = send(world_with(), "31612345678", type="plain")
    report = {
        "uid": said.data["uid"],
        "to": "31612345678",
        "from": "Shop",
        "message": "Hello",
        "status": "Accepted",
        "cost": "1",
        "customer_status": "Accepted",
    }
    assert len(report["uid"]) == 13
    assert said == (200, "success", SENT, report)


def test_a_list_is_answered_with_a_list() -> None:
    said = send(world_with(), "31612345678, 8801721970168")
    assert said.message == LISTED
    assert [(each["to"], each["cost"], each["sms_count"]) for each in said.data] == [
        ("31612345678", "1", 1),
        ("8801721970168", "1", 1),
    ]


@pytest.mark.parametrize(
    ("written", "numbers", "is_list"),
    [
        ("31612345678", ("31612345678",), False),
        (31612345678, ("31612345678",), False),
        ("+31 (6) 1234-5678", ("31612345678",), False),
        ("31612345678,", ("31612345678",), True),
        ("31612345678,31612345678 , +31612345678", ("31612345678",), True),
        (["31612345678", 31612345679, None, " "], ("31612345678", "31612345679"), True),
        (["31612345678,31612345679"], ("31612345678", "31612345679"), True),
        ("1,2,3", ("1", "2", "3"), True),
        (" , ,", (), True),
        (None, (), False),
    ],
)
def test_forms_of_recipients(written: Any, numbers: tuple[str, ...], is_list: bool) -> None:
    assert recipients_from(written, drops_noughts=False) == (numbers, is_list)


@pytest.mark.parametrize(
    ("root", "message"), [("/api/v3", SENT), ("/api/http", "0031612345678 is a invalid phone number")]
)
def test_noughts_in_front_are_dropped_at_one_root_only(root: str, message: str) -> None:
    body = {"recipient": "0031612345678", "sender_id": "Shop", "message": "Hello"}
    assert call(world_with(), "POST", "/sms/send", body, root=root).message == message


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_older_root_sends_by_any_method(method: str) -> None:
    world = world_with()
    said = call(world, method, "/sms/send?recipient=31612345678&message=Hi%20%26&sender_id=Shop", root="/api/http")
    assert (said.message, said.data["message"]) == (SENT, "Hi &")


def test_a_get_of_the_newer_root_looks_for_a_report_and_sends_nothing() -> None:
    world = world_with()
    said = call(world, "GET", "/sms/send?recipient=31612345678&message=Hi&sender_id=Shop")
    assert (said.http, said.message, sent(world)) == (404, "SMS Info not found", [])


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_never_sends(root: str, method: str) -> None:
    world = world_with()
    target = f"{root}/sms/send?recipient=31612345678&message=Hi&sender_id=Shop"
    assert asyncio.run(Caller(world)(method, target)).body == b""
    assert sent(world) == []


@pytest.mark.parametrize(
    "body",
    [
        {"recipient": "31612345678", "message": "Hi", "sender_id": "Shop"},
        b"recipient=31612345678&message=Hi&sender_id=Shop",
        b'{"recipient":"31612345678","message":"Hi","sender_id=Shop"}',
        b'{"recipient=31612345678","message=Hi","sender_id=Shop"}',
    ],
)
def test_json_form_and_what_the_page_prints_are_the_same(body: object) -> None:
    assert call(world_with(), "POST", "/sms/send", body).data["from"] == "Shop"


@pytest.mark.parametrize(
    ("body", "http", "strict", "message"),
    [
        (b"", 200, 422, "The recipient field is required."),
        (b"{body}", 200, 422, "The recipient field is required."),
        ({"recipient": None}, 200, 422, "The recipient field is required."),
        ({"recipient": []}, 200, 422, "The recipient field is required."),
        ({"recipient": " , "}, 200, 422, "The recipient field is required."),
        ({"recipient": True}, 200, 422, "The recipient must be a string."),
        ({"recipient": {"to": "31612345678"}}, 200, 422, "The recipient must be a string."),
        ({"recipient": [31612345678.5]}, 200, 422, "The recipient must be a string."),
        ({"recipient": "hello"}, 403, 422, "hello is a invalid phone number"),
        ({"recipient": "x" * 999}, 403, 422, f"{'x' * 40} is a invalid phone number"),
        ({"message": None}, 200, 422, "The message field is required."),
        ({"message": " \n"}, 200, 422, "The message field is required."),
        ({"message": ["Hi"]}, 200, 422, "The message must be a string."),
        ({"message": "a\0b"}, 403, 422, Reason.INVALID_TEXT.sentence),
        ({"message": "x" * 70_000}, 403, 422, Reason.TEXT_TOO_LONG.sentence),
        *(
            (
                {"type": kind},
                404,
                422,
                "Please insert valid sms type called plain, unicode, voice, mms, viber, OTP and whatsapp.",
            )
            for kind in ("fax", "whatsapp", "viber", "otp", 7)
        ),
        ({"type": ["plain"]}, 200, 422, "The type must be a string."),
        ({"type": "voice"}, 404, 422, "Language and gender parameters are required"),
        ({"type": "voice", "language": "en-gb"}, 404, 422, "Language and gender parameters are required"),
        ({"type": "voice", "gender": "male"}, 404, 422, "Language and gender parameters are required"),
        ({"type": "voice", "language": "en-zz", "gender": "male"}, 404, 422, "Valid language is required."),
        ({"type": "voice", "language": "en-gb", "gender": "x"}, 404, 422, "Valid gender is required."),
        ({"type": "mms"}, 404, 422, "media_url parameter is required"),
        ({"type": "mms", "media_url": "150.jpg"}, 404, 422, "Valid media url is required."),
        ({"type": "mms", "media_url": ["https://x.example/"]}, 200, 422, "The media url must be a string."),
        ({"schedule_time": "tomorrow"}, 200, 422, "The schedule time is not a valid date."),
        ({"schedule_time": "2021-13-20 07:00"}, 200, 422, "The schedule time is not a valid date."),
        ({"schedule_time": 1639983600}, 200, 422, "The schedule time is not a valid date."),
        ({"dlt_template_id": "x" * 65}, 200, 422, "The dlt template id may not be greater than 64 characters."),
        ({"dlt_template_id": "é"}, 200, 422, "The dlt template id format is invalid."),
        ({"dlt_template_id": {}}, 200, 422, "The dlt template id must be a string."),
        ({"sender_id": None}, 403, 403, "Originator  is not authorized to send this message"),
        ({"sender_id": "TwelveLetters"}, 403, 403, "Originator TwelveLetters is not authorized to send this message"),
        ({"sender_id": "x" * 999}, 403, 403, f"Originator {'x' * 40} is not authorized to send this message"),
        ({"sender_id": 1.5}, 200, 422, "The sender id must be a string."),
    ],
)
def test_bad_input(body: Any, http: int, strict: int, message: str) -> None:
    good = {"recipient": "31612345678", "message": "Hi", "sender_id": "Shop"}
    for settings, wanted in (({}, http), (STRICT, strict)):
        world = world_with(account_of(settings=settings))
        said = call(world, "POST", "/sms/send", body if isinstance(body, bytes) else {**good, **body})
        assert said == (wanted, "error", message, None)
        assert (world.stored, world.funds.held) == ({}, 0)


def test_checks_come_in_the_product_s_order() -> None:
    world, wrong = world_with(), {"type": "voice", "schedule_time": "x", "recipient": "x"}
    body: dict[str, object] = {}
    for name, value, message in (
        ("recipient", ",".join(map(str, range(200))), "The recipient field is required."),
        ("message", "Hi", "The message field is required."),
        ("type", "voice", "Please insert valid sms type"),
        ("language", "en-gb", "Language and gender"),
        ("gender", "male", "Language and gender"),
        ("schedule_time", "2021-12-20 07:00", "The schedule time"),
        ("sender_id", "Shop", "Originator "),
        ("recipient", "1", "You cannot send more than 100 SMS in a single request."),
    ):
        said = call(world, "POST", "/sms/send", {"type": "fax", **wrong, "recipient": None, **body} | _typed(body))
        assert (said.message or "").startswith(message)
        body[name] = value
    assert call(world, "POST", "/sms/send", body).message == "1 is a invalid phone number"


def _typed(body: dict[str, object]) -> dict[str, object]:
    return {} if "type" in body else {"type": "fax"}


def test_a_bad_number_in_a_list_is_named_and_left_out() -> None:
    world = world_with()
    world.barred = frozenset({"+4712345678"})
    said = send(world, "31612345678,12,4712345678,xyz")
    assert [each["to"] for each in said.data] == ["31612345678"]
    assert said.message == (
        "12 is a invalid phone number "
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: 4712345678 "
        "xyz is a invalid phone number"
    )


def test_a_list_without_a_good_number_is_no_error() -> None:
    said = send(world_with(account_of(settings=STRICT)), "1,2")
    assert said == (200, "success", "1 is a invalid phone number 2 is a invalid phone number", [])


def test_a_number_in_a_region_that_has_no_route() -> None:
    world = world_with()
    world.barred = frozenset({"+4712345678"})
    said = send(world, "4712345678")
    text = "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: 4712345678"
    assert (said.http, said.message) == (403, text)


@pytest.mark.parametrize("recipient", ["31612345678", "31612345678,8801721970168"])
@pytest.mark.parametrize(
    "more",
    [{"type": "voice", "language": "en-gb", "gender": "male"}, {"type": "mms", "media_url": "https://x.example/"}],
)
def test_without_a_carrier_of_the_kind_nothing_is_silently_accepted(recipient: str, more: dict[str, str]) -> None:
    world = world_with()
    world.channels = frozenset({Channel.SMS})
    said = send(world, recipient, **more)
    assert said == (403, "error", "No sending server available for your subscribed plan", None)
    world.refusing = Refusal(Reason.NO_ROUTE)
    assert send(world, recipient, **more) == said


def test_a_hundred_numbers_may_be_sent_to_at_once() -> None:
    world = world_with()
    numbers = [31600000000 + number for number in range(101)]
    assert send(world, numbers).message == "You cannot send more than 100 SMS in a single request."
    assert len(send(world, numbers[:100] + numbers[:50]).data) == 100


def test_senders() -> None:
    world = world_with(account_of(sender="Own", senders=frozenset({"Own", "Shop"})))
    assert send(world, "31612345678", sender_id="").data["from"] == "Own"
    assert send(world, "31612345678", sender_id="Shop").data["from"] == "Shop"
    refused = send(world, "31612345678", sender_id="Other")
    assert (refused.http, refused.message) == (403, "Originator Other is not authorized to send this message")
    world.refusing = Refusal(Reason.NUMBER_NOT_ENABLED)
    refused = send(world, "31612345678", type="mms", media_url="https://x.example/", sender_id="")
    assert (refused.http, refused.message) == (403, "Originator Own is not capable to send mms sms")


def test_credits() -> None:
    poor, broke = world_with(credits=1), world_with(credits=0)
    said = send(poor, "31612345678,8801721970168")
    text = "There is not enough balance available to send this message.You have 1 of the 2"
    assert (said.http, said.message) == (403, text)
    assert send(broke, "31612345678")[:3] == (403, "error", "You have exceeded your sending limit.")


def test_a_suspended_account() -> None:
    said = send(world_with(account_of(is_suspended=True)), "31612345678")
    assert (said.http, said.message) == (403, Reason.SUSPENDED.sentence)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_reads_in_any_case_and_any_script(language: str) -> None:
    world = world_with()
    said = send(world, "31612345678", "日本語", type="Voice", language=language.upper(), gender="Female")
    assert said.status == "success"
    (submission,) = world.submissions
    assert (submission.channel, submission.text) == (Channel.VOICE, "日本語")
    assert submission.traits == Traits("", language, "female")


def test_there_are_34_languages() -> None:
    assert len(LANGUAGES) == 34


def test_a_picture_needs_no_text() -> None:
    world = world_with()
    assert send(world, "31612345678", None, type="mms", media_url="https://x.example/150.jpg").status == "success"
    (submission,) = world.submissions
    assert (submission.channel, submission.media_urls) == (Channel.MMS, ("https://x.example/150.jpg",))


def test_parameters_of_other_types_are_left_alone() -> None:
    world = world_with()
    send(world, "31612345678", language="xx", gender="xx", media_url="xx")
    assert (world.submissions[0].traits, world.submissions[0].media_urls) == (Traits(), ())


def test_a_template_goes_along() -> None:
    world = world_with()
    send(world, "31612345678", dlt_template_id=1107160000000012345)
    assert world.submissions[0].traits == Traits("1107160000000012345")


@pytest.mark.parametrize(
    ("written", "zone", "at_ms"),
    [
        ("2026-12-20 07:00", "UTC", 1_797_750_000_000),
        ("2026-12-20 07:00:30", "UTC", 1_797_750_030_000),
        ("2026-12-20 07:00", "Asia/Dhaka", 1_797_728_400_000),
        ("2026-12-20T07:00:00+01:00", "Asia/Dhaka", 1_797_746_400_000),
        ("2026-12-20T07:00:00Z", "Asia/Dhaka", 1_797_750_000_000),
    ],
)
@pytest.mark.parametrize("recipient", ["31612345678", "31612345678,8801721970168"])
def test_a_message_may_wait_for_its_time(written: str, zone: str, at_ms: int, recipient: str) -> None:
    world = world_with(replace(account_of(), time_zone=zone))
    said = send(world, recipient, schedule_time=written)
    assert world.submissions[0].send_at_ms == at_ms > NOW_MS
    reports = said.data if isinstance(said.data, list) else [said.data]
    assert (said.message, {each["status"] for each in reports}) == (LISTED, {"Scheduled"})


@pytest.mark.parametrize("written", ["2021-12-20 07:00", "", None])
def test_a_time_that_has_passed_is_now(written: str | None) -> None:
    said = send(world_with(), "31612345678", schedule_time=written)
    assert (said.message, said.data["status"]) == (SENT, "Accepted")


def test_a_repeated_key_gets_the_first_answer_again_at_either_root() -> None:
    world, headers = world_with(), {"idempotency-key": "a"}
    body = {"recipient": "31612345678", "message": "Hi", "sender_id": "Shop"}
    first = call(world, "POST", "/sms/send", body, headers=headers)
    again = call(world, "POST", "/sms/send", body, headers=headers, root="/api/http")
    assert (first, len(world.stored)) == (again, 1)
    other = call(world, "POST", "/sms/send", {**body, "message": "Ho"}, headers=headers)
    assert (other.http, other.message) == (422, Reason.KEY_REUSED.sentence)
