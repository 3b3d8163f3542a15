from heliograph.core.directory import Policy


def test_stored_numbers_never_change() -> None:
    assert {policy.name: int(policy) for policy in Policy} == {"RESEND": 1, "HOLD": 2}
