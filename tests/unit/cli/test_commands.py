"""What the commands answer: the shapes that scripts rely on, and words for people."""

import re
import sqlite3
from pathlib import Path

import pytest

from heliograph.cli.show import plain
from heliograph.core.directory import Account
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId, shown_id
from heliograph.store.hops.accept import ACCEPT, AcceptRequest, NewBody, NewMessage
from heliograph.store.hops.statements import carry_out
from heliograph.store.opening import open_sqlite
from tests.unit.cli.conftest import Heliograph

MESSAGE = MessageId(123_456_789_012)


def _accept(folder: Path) -> None:
    """Accept a message of account 1 as a server does."""
    store = open_sqlite("", folder)
    connection = store.connect()
    account_id, submission_id = AccountId(1), SubmissionId(5)
    new = NewMessage(
        account_id, MESSAGE, submission_id, "+27831234567", 1, CarrierId(1), 1_000_000, 9 * 10**12, "r1", 0
    )
    text = "Good \x1b[2Jday"
    request = AcceptRequest(
        account_id, [NewBody(submission_id, text)], "touchbasepro", 1, "Crane", 1_000_000, [new], 7, waits=True
    )
    connection.execute("begin immediate")
    carry_out(connection, ACCEPT.script([request]))
    connection.execute("commit")
    connection.close()


def test_accounts(heliograph: Heliograph) -> None:
    made = heliograph("account", "add", "Blue Crane Travel Agency", "--credits", "2.5", "--json").document
    assert list(made) == ["account", "user", "api_key"]
    assert made["account"] == "Blue Crane Travel Agency"
    assert len(made["user"]) <= 15
    assert re.fullmatch(r"1\|[A-Za-z0-9]{40}", made["api_key"])
    name = made["account"]
    assert heliograph("account", "suspend", name).status == 0
    line = ("--sender", "Crane", "--senders", "Crane, 12345", "--rate-limit", "60", "--agreement", "no")
    assert heliograph("account", "set", name, *line).status == 0
    assert heliograph("account", "topup", name, "1", "--json").document == {"account": name, "available": 3.5}
    assert heliograph("account", "topup", name, "--credits", "-3.5", "--json").document["available"] == 0
    assert heliograph("account", "topup", name).status == 1
    (shown,) = heliograph("--json", "account", "list").document["accounts"]
    assert (shown["is_suspended"], shown["sender"], shown["senders"]) == (True, "Crane", ["12345", "Crane"])
    assert (shown["rate_limit"], shown["agreement"], shown["available"], shown["held"]) == (60, False, 0, 0)
    assert heliograph("account", "resume", name).status == 0
    assert heliograph("account", "set", name, "--rate-limit", "default").status == 0
    assert heliograph("account", "set", name, "--rate-limit", "fast").status == 1
    changed = heliograph("account", "set", name, "--channels", "voice, SMS", "--json").document
    assert changed["channels"] == ["sms", "voice"]
    assert "'fax' is not a channel" in heliograph("account", "set", name, "--channels", "sms,fax").err
    shown = heliograph("account", "show", name, "--json").document
    assert (shown["is_suspended"], shown["rate_limit"]) == (False, None)
    assert name in heliograph("account", "show", name).out


def test_settings_of_an_account_are_those_of_dialects(heliograph: Heliograph) -> None:
    heliograph("account", "add", "Crane")
    line = ("account", "set", "Crane", "--json")
    changed = heliograph(*line, "textboost.errors=strict", "touchbasepro.message_id_in_events=off").document
    assert changed["settings"] == {"textboost": {"errors": "strict"}, "touchbasepro": {"message_id_in_events": False}}
    assert heliograph(*line, "textboost.errors=", "--sender", "Crane").document["settings"] == {
        "touchbasepro": {"message_id_in_events": False}
    }
    for word, mistake in (
        ("textboost.errors=loud", "Setting 'errors' is not 'loud'; write faithful or strict."),
        ("textboost.colour=red", "Accounts in textboost have no setting 'colour'; they have errors."),
        ("bulkvs.errors=strict", "Accounts in bulkvs have no setting 'errors'; they have none."),
        ("errors=strict", "'errors' is no setting: write DIALECT.SETTING"),
        ("fax.errors=strict", "'fax.errors' is no setting: write DIALECT.SETTING"),
    ):
        assert mistake in heliograph(*line, word).err


def test_a_dialect_whose_customers_ask_has_no_webhooks(heliograph: Heliograph) -> None:
    heliograph("account", "add", "Crane")
    line = ("webhook", "add", "Crane", "https://x.example/", "--dialect", "textboost", "--type", "MessageReply")
    assert "There is no dialect 'textboost' that tells webhooks" in heliograph(*line).err


def test_keys(heliograph: Heliograph) -> None:
    heliograph("account", "add", "Crane")
    made = heliograph("key", "add", "Crane", "--json").document
    assert made["api_key"].startswith(f"{made['id']}|")
    assert heliograph("key", "revoke", made["api_key"]).status == 0
    assert heliograph("key", "revoke", "x").status == 1
    listed = heliograph("key", "list", "--json").document["keys"]
    assert [(each["id"], each["revoked_at"] is None) for each in listed] == [(1, True), (2, False)]
    assert made["api_key"].partition("|")[2] not in heliograph("key", "list").out


def test_numbers_and_campaigns(heliograph: Heliograph) -> None:
    heliograph("account", "add", "Crane")
    assert heliograph("campaign", "add", "Crane", "CW1549", "--brand", "Blue Crane").status == 0
    assert heliograph("campaign", "approve", "Crane", "CW1549").status == 0
    added = heliograph("number", "add", "Crane", "27831234567", "--voice", "on", "--campaign", "CW1549", "--json")
    assert added.document == {
        "number": "+27831234567",
        "account": "Crane",
        "sms": True,
        "mms": True,
        "voice": True,
        "webhook": None,
        "campaign": "CW1549",
    }
    assert heliograph("campaign", "list", "--json").document["campaigns"][0]["numbers"] == 1
    line = ("number", "set", "Crane", "+27831234567", "--mms", "off", "--webhook", "main", "--json")
    assert heliograph(*line).err == "heliograph: Account 'Crane' has no webhook 'main'; it has none.\n"
    hook = ("--dialect", "touchbasepro", "--name", "Main")
    made = heliograph("webhook", "add", "Crane", "http://a/", *hook, "--json").document
    assert (made["name"], made["kind"], made["settings"]) == ("Main", "reply", {})
    changed = heliograph(*line).document
    assert (changed["sms"], changed["mms"], changed["webhook"], changed["campaign"]) == (True, False, "Main", "CW1549")
    assert heliograph("number", "set", "a", "b", "c").status == 1
    assert heliograph("number", "add", "Crane", "12345", "--json").document["number"] == "12345"
    of_main = heliograph("number", "list", "--webhook", "Main", "--json").document["numbers"]
    assert [each["number"] for each in of_main] == ["+27831234567"]
    of_none = heliograph("number", "list", "--account", "Crane", "--campaign", "", "--json").document["numbers"]
    assert [each["number"] for each in of_none] == ["12345"]
    assert heliograph("account", "show", "Crane", "--json").document["numbers"] == ["+27831234567", "12345"]
    assert heliograph("webhook", "remove", "1").status == 0
    assert heliograph("campaign", "remove", "Crane", "cw1549").out == "Campaign CW1549 is removed.\n"
    (changed, _) = heliograph("number", "list", "--json").document["numbers"]
    assert (changed["webhook"], changed["campaign"]) == (None, None)
    for refused in (
        ("number", "add", "Nobody", "+13105550000"),
        ("number", "add", "Crane", "+27831234567"),
        ("number", "add", "Crane", "call me"),
        ("number", "add", "Crane", "+13105550000", "--campaign", "CW1"),
        ("number", "set", "+13105550000", "--sms", "off"),
        ("number", "set", "+27831234567"),
        ("number", "remove", "Nobody", "+27831234567"),
        ("campaign", "approve", "Crane", "CW1"),
        ("campaign", "add", "Nobody", "CW1", "--brand", "b"),
    ):
        said = heliograph(*refused)
        assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
    assert heliograph("number", "remove", "+27831234567").status == 0
    assert heliograph("number", "remove", "12345", "--json").document == {"number": "12345", "is_removed": True}
    assert heliograph("number", "list", "--json").document == {"numbers": []}


def test_carriers_routes_and_rates(heliograph: Heliograph) -> None:
    url = "smpp://crane:secret@127.0.0.1:2775"
    line = ("--window", "500", "--sessions", "2", "--policy", "hold", "--json")
    made = heliograph("carrier", "add", "sim", "system_type=cp", "--url", url, *line).document
    assert (made["window"], made["sessions"], made["throughput"], made["policy"]) == (500, 2, 0, "hold")
    assert (made["channels"], made["settings"]) == (["sms"], {"system_type": "cp"})
    assert "secret" not in str(made)
    made = heliograph("carrier", "add", "loop", "late_ms=9", "receipt_delay_ms=", "--url", "loopback:", "--json")
    assert made.document["settings"] == {"late_ms": 9}
    assert "whole number from 0" in heliograph("carrier", "set", "loop", "receipt_delay_ms=soon").err
    assert heliograph("carrier", "show", "loop", "--json").document["settings"] == {"late_ms": 9}
    assert "whole number" in heliograph("carrier", "set", "sim", "validity_s=soon").err
    assert "cannot be used" in heliograph("carrier", "set", "loop", "a=1").err
    assert heliograph("carrier", "set", "sim", "word").status == 1
    assert heliograph("carrier", "set", "sim", "=word").status == 1
    assert heliograph("carrier", "set", "sim").err == "heliograph: Nothing to change was named.\n"
    assert heliograph("carrier", "set", "sim", "system_type=", "validity_s=60").status == 0
    assert heliograph("carrier", "show", "sim", "--json").document["settings"] == {"validity_s": 60}
    assert heliograph("carrier", "drain", "sim", "--json").document["is_draining"]
    assert not heliograph("carrier", "drain", "sim", "off", "--json").document["is_draining"]
    route = heliograph("route", "add", "--carrier", "sim", "--prefix", "27", "--cost", "0.25", "--json").document
    assert route == {"id": 1, "carrier": "sim", "channel": "sms", "prefix": "27", "priority": 0, "cost": 0.25}
    assert heliograph("route", "add", "--carrier", "sim", "--channel", "voice").status == 1
    assert heliograph("route", "remove", "1").status == 0
    rate = heliograph("rate", "add", "--price", "0.5", "--prefix", "27", "--json").document
    assert (rate["account"], rate["price"], rate["prefix"]) == (None, 0.5, "27")
    assert heliograph("rate", "remove", str(rate["id"])).status == 0
    assert heliograph("carrier", "remove", "sim").status == 0
    assert [each["carrier"] for each in heliograph("carrier", "list", "--json").document["carriers"]] == ["loop"]


def test_webhooks(heliograph: Heliograph, tmp_path: Path) -> None:
    heliograph("account", "add", "Crane")
    line = ("webhook", "add", "Crane", "http://127.0.0.1:9/in", "--type", "MessageStatusUpdate")
    made = heliograph(*line, "--dialect", "touchbasepro", "--json").document
    assert (made["id"], made["account"], made["kind"], made["is_active"]) == (1, "Crane", "status", True)
    assert made["secret"].startswith("whsec_")
    assert "touchbasepro" in heliograph(*line, "--dialect", "other").err
    assert heliograph(*line[:-1], "Nothing", "--dialect", "touchbasepro").status == 1
    assert "secret" not in str(heliograph("webhook", "list", "--account", "Crane", "--json").document)
    changed = heliograph("webhook", "set", "1", "--off", "--json").document
    assert (changed["id"], changed["is_active"], changed["url"]) == (1, False, "http://127.0.0.1:9/in")
    changed = heliograph("webhook", "set", "1", "--url", "http://127.0.0.1:9/on", "--json").document
    assert (changed["is_active"], changed["url"]) == (False, "http://127.0.0.1:9/on")
    assert heliograph("webhook", "set", "1", "--on").out == "Webhook 1 is changed.\n"
    (listed,) = heliograph("webhook", "list", "--json").document["webhooks"]
    assert (listed["is_active"], listed["url"]) == (True, "http://127.0.0.1:9/on")
    assert heliograph("webhook", "set", "1").err == "heliograph: Nothing to change was named.\n"
    assert "have no setting 'receipts'" in heliograph("webhook", "set", "1", "--receipts", "on").err
    assert "'one' is not the id of a webhook" in heliograph("webhook", "set", "one", "--on").err
    assert "Say with --type" in heliograph(*line[:4], "--dialect", "touchbasepro").err
    assert "account and the address" in heliograph("webhook", "add", "Crane", "--dialect", "touchbasepro").err
    assert "http:// or https://" in heliograph("webhook", "set", "1", "--url", "ftp://a").err
    assert "There is no webhook 9" in heliograph("webhook", "set", "9", "--on").err
    with sqlite3.connect(tmp_path / "data" / "heliograph.sqlite") as connection:
        connection.execute(
            "insert into delivery(id, webhook_id, account_id, kind, events, body, state, attempts, next_at_ms, status,"
            " note, created_at_ms, settled_at_ms) values (7, 1, 1, 1, 2, x'7b7d', 3, 9, 0, 500, 'no', 5, 6)"
        )
    connection.close()
    (listed,) = heliograph("webhook", "deliveries", "--webhook", "1", "--json").document["deliveries"]
    assert (listed["id"], listed["state"], listed["status"], listed["note"], listed["next_at"]) == (
        7,
        "dead",
        500,
        "no",
        None,
    )
    assert heliograph("webhook", "replay", "--webhook", "1", "--json").document == {"replayed": 1}
    assert heliograph("webhook", "replay", "7", "--json").document == {"replayed": 1}
    assert heliograph("webhook", "replay", "8").status == 1
    assert heliograph("webhook", "replay").status == 1
    assert heliograph("webhook", "deliveries", "--json").document["deliveries"][0]["state"] == "pending"
    assert heliograph("webhook", "remove", "1").status == 0
    assert heliograph("webhook", "remove", "1").status == 1


def test_settings_of_a_webhook_are_its_dialect_s(heliograph: Heliograph, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"description": (), "receipts": (True, False), "method": ("POST", "3CX"), "plain": (True, False)}
    monkeypatch.setattr("heliograph.dialects.touchbasepro.events.SETTINGS", known, raising=False)
    heliograph("account", "add", "Crane")
    line = ("webhook", "add", "Crane", "http://a/", "--dialect", "touchbasepro", "--name", "Default", "--json")
    made = heliograph(*line, "--receipts", "on", "--method", "3CX", "plain=yes", "description=Our door").document
    assert made["settings"] == {"receipts": True, "method": "3CX", "plain": True, "description": "Our door"}
    assert "has the name 'Default' already" in heliograph(*line).err
    changed = heliograph("webhook", "set", "1", "--receipts", "off", "plain=", "--json").document
    assert changed["settings"] == {"receipts": False, "method": "3CX", "description": "Our door"}
    for word, why in {
        "plain=maybe": "'plain' is not 'maybe'; write on or off",
        "method=GET": "write POST or 3CX",
        "description=5": "write a text",
        "colour=red": "they have description, receipts, method, plain",
        "plain": "write NAME=VALUE",
    }.items():
        said = heliograph("webhook", "set", "1", word)
        assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
        assert why in said.err
    (listed,) = heliograph("webhook", "list", "--json").document["webhooks"]
    assert listed["settings"] == changed["settings"]


def test_messages(heliograph: Heliograph, tmp_path: Path) -> None:
    heliograph("account", "add", "Crane", "--credits", "5")
    mark = heliograph("account", "show", "Crane", "--json").document["mark"]
    heliograph("carrier", "add", "loop", "--url", "loopback:")
    heliograph("webhook", "add", "Crane", "http://a/", "--dialect", "touchbasepro", "--type", "status")
    _accept(tmp_path / "data")
    (listed,) = heliograph("message", "list", "--state", "queued", "--account", "Crane", "--json").document["messages"]
    account = Account(account_id=AccountId(1), name="Crane", user="crane", mark=mark)
    assert listed["id"] == shown_id(MESSAGE, account.mark)
    assert (listed["account"], listed["recipient"], listed["sender"]) == ("Crane", "+27831234567", "Crane")
    assert (listed["state"], listed["carrier"], listed["price"], listed["charge"]) == ("queued", "loop", 1, "held")
    assert heliograph("message", "show", listed["id"], "--json").document == listed
    shown = heliograph("message", "show", str(MESSAGE))
    assert "Good ·[2Jday" in shown.out
    assert heliograph("message", "list", "--state", "lost").status == 1
    assert heliograph("message", "resolve", str(MESSAGE), "--as", "delivered").status == 1
    assert heliograph("audit").status == 0
    cancelled = heliograph("message", "cancel", listed["id"], "--json").document
    assert (cancelled["state"], cancelled["charge"]) == ("cancelled", "released")
    assert cancelled["reason"] == "The message was cancelled before it left."
    trace = heliograph("message", "trace", listed["id"], "--json").document
    assert [(each["state"], each["detail"]) for each in trace["events"]] == [("cancelled", "by hand")]
    assert trace["attempts"] == []
    assert "cancelled" in heliograph("message", "trace", listed["id"]).out
    assert heliograph("account", "show", "Crane", "--json").document["available"] == 5
    assert heliograph("message", "list", "--state", "queued", "--json").document == {"messages": []}


def test_an_audit_with_findings_fails_and_names_them(heliograph: Heliograph, tmp_path: Path) -> None:
    heliograph("account", "add", "Crane", "--credits", "5")
    assert heliograph("audit", "--json").document == {"is_clean": True, "findings": []}
    with sqlite3.connect(tmp_path / "data" / "heliograph.sqlite") as connection:
        connection.execute("update balance set available = 1")
    connection.close()
    said = heliograph("audit", "--json")
    assert said.status == 1
    assert "0.000001 credits are available" in said.out
    assert said.err == "heliograph: 1 findings.\n"


def test_migrating_what_is_up_to_date_changes_nothing(heliograph: Heliograph) -> None:
    first = heliograph("migrate", "--json").document
    assert first["before"] is None
    assert heliograph("migrate", "--json").document == {"before": first["revision"], "revision": first["revision"]}


@pytest.mark.parametrize(
    ("value", "words"), [(True, "yes"), ("", "-"), ({"a": 1}, "a=1"), ("a\nb\x9b", "a·b·"), (0, "0")]
)
def test_values_are_shown_plainly(value: object, words: str) -> None:
    assert plain(value) == words
