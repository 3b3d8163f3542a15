"""Signatures that the reference receivers of Standard Webhooks 1.0 accept."""

import base64

import pytest

from heliograph.webhooks.signing import new_secret, sign


def test_published_vector() -> None:
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        identifier="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s=1614265330,
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signature_covers_id_time_body_and_secret() -> None:
    secret, other = new_secret(bytes(24)), new_secret(bytes(23) + b"\1")
    signatures = {
        sign(secret, b"body", identifier="dlv_1", timestamp_s=1),
        sign(other, b"body", identifier="dlv_1", timestamp_s=1),
        sign(secret, b"bodY", identifier="dlv_1", timestamp_s=1),
        sign(secret, b"body", identifier="dlv_2", timestamp_s=1),
        sign(secret, b"body", identifier="dlv_1", timestamp_s=2),
    }
    assert len(signatures) == 5


@pytest.mark.parametrize("octets", [24, 32, 64])
def test_secret_shows_its_random_bytes(octets: int) -> None:
    random_bytes = bytes(range(octets))
    secret = new_secret(random_bytes)
    assert secret.startswith("whsec_")
    assert base64.b64decode(secret.removeprefix("whsec_"), validate=True) == random_bytes


@pytest.mark.parametrize("octets", [0, 23, 65])
def test_secret_of_another_length_is_refused(octets: int) -> None:
    with pytest.raises(ValueError, match=f"24 to 64 random bytes, not {octets}"):
        new_secret(bytes(octets))
