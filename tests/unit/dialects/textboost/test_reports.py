import pytest

from heliograph.core.ids import MessageId, uid_from
from heliograph.core.ledger import Balance
from heliograph.core.messages import Report
from heliograph.core.money import CREDIT
from heliograph.core.states import MessageState
from heliograph.dialects.textboost.reports import WORDS, report_of
from tests.unit.dialects.textboost.calls import ROOTS, call, send
from tests.unit.dialects.world import KEY, MARK, world_with


def test_every_state_has_a_word_of_the_product() -> None:
    words = {"Delivered", "Enroute", "Expired", "Undelivered", "Rejected", "Accepted", "Skipped", "Failed", "Scheduled"}
    assert set(WORDS) == set(MessageState)
    assert set(WORDS.values()) == words


def test_what_came_in_is_from_the_handset() -> None:
    report = report_of(Report(MessageId(7), "31612345678", "12345", "Yes", MessageState.RECEIVED), MARK)
    assert (report.to, report.sender, report.status, report.cost) == ("12345", "31612345678", "Delivered", "0")


@pytest.mark.parametrize("root", ROOTS)
def test_a_report_is_shown_and_listed(root: str) -> None:
    world = world_with()
    first, second = (send(world, number).data for number in ("31612345678", "8801721970168"))
    world.stored[next(iter(world.stored))].state = MessageState.DELIVERED
    delivered = {**first, "status": "Delivered", "customer_status": "Delivered"}
    assert call(world, "GET", f"/sms/{first['uid']}", root=root) == (200, "success", None, delivered)
    for path in ("/sms", "/sms/"):
        page = call(world, "GET", path, root=root).data
        assert (page["data"], page["total"]) == ([second, delivered], 2)


@pytest.mark.parametrize("uid", ["0123456789abc", "x", "606812E63F78B", "send", "%2e"])
def test_an_unknown_report(uid: str) -> None:
    assert call(world_with(), "GET", f"/sms/{uid}") == (404, "error", "SMS Info not found", None)


@pytest.mark.parametrize("root", ROOTS)
def test_the_balance_is_in_whole_units_too(root: str) -> None:
    world = world_with()
    world.funds = Balance(available=97 * CREDIT + CREDIT // 2, held=CREDIT, captured=2 * CREDIT)
    assert call(world, "GET", "/balance", root=root).data == {
        "remaining_balance": "97.5",
        "remaining_unit": "97",
        "used_unit": "3",
        "expired_on": "Unlimited",
    }


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(("target", "key"), [("/me", KEY), (f"/me?api_token={KEY.replace('|', '%7C')}", None)])
def test_the_profile_holds_the_key_that_was_shown(root: str, target: str, key: str | None) -> None:
    world = world_with()
    assert call(world, "GET", target, root=root, key=key).data == {
        "uid": uid_from(world.account.account_id, MARK),
        "api_token": KEY,
        "first_name": "shop",
        "last_name": "",
        "email": "",
        "locale": "en",
        "timezone": "UTC",
    }
