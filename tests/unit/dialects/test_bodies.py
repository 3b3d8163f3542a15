import pytest

from heliograph.dialects.bodies import UNREADABLE, read_any_case
from heliograph.dialects.touchbasepro.wire import WebhookRequest


@pytest.mark.parametrize(
    "body",
    [
        b'{"Url":"u","WebhookType":"t"}',
        b'{"url":"u","webhookType":"t"}',
        b'{"URL":"u","WEBHOOKTYPE":"t","More":[1]}',
    ],
)
def test_names_are_read_in_any_case(body: bytes) -> None:
    assert read_any_case(body, WebhookRequest) == WebhookRequest("u", "t")


@pytest.mark.parametrize(
    "body", [b"", b"{body}", b"[]", b"null", b'{"Url":5}', b"\xff", b"[" * 100_000, b'{"Url":"\\ud800"}', b'"x"']
)
def test_what_cannot_be_read_raises_one_of_a_few(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        read_any_case(body, WebhookRequest)
