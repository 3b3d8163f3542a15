from heliograph.core.events import EventKind


def test_stored_numbers_never_change() -> None:
    assert {kind.name: int(kind) for kind in EventKind} == {"STATUS": 1, "REPLY": 2}
