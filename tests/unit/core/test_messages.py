from heliograph.core.messages import Channel


def test_stored_numbers_never_change() -> None:
    assert {channel.name: int(channel) for channel in Channel} == {"SMS": 1, "MMS": 2, "VOICE": 3}
