"""Whatever belongs to another account is not found, on every route, under every name it could have."""

import json
from itertools import product
from typing import Any

import pytest

from heliograph.core.ids import id_from_uid, uid_from
from heliograph.dialects.dialect import Endpoint
from heliograph.dialects.textboost.endpoints import TEXTBOOST
from tests.contract.case import AccountSetup, Request
from tests.contract.real import House, RealExchange

NOT_FOUND = {
    "No query results.",
    "SMS Info not found",
    "Sorry, but the page you were trying to view does not exist.",
}
ROUTES = [
    pytest.param(mount, endpoint, id=f"{endpoint.method} {mount}{endpoint.path}")
    for endpoint in TEXTBOOST.endpoints
    if "{" in endpoint.path
    for mount in endpoint.mounts or TEXTBOOST.mounts
]
STANDS_FOR = {f"{group}{path}": method for group in ("/contacts/{group_id}",) for path, method in (
    ("", "PATCH"), ("/update/{uid}", "PUT"), ("/delete/{uid}", "DELETE")
)}  # fmt: skip


class Party:
    """An account that calls."""

    def __init__(self, house: House) -> None:
        self.exchange = RealExchange(house)
        self.user, self._key = self.exchange.open(AccountSetup())
        ((self.mark,),) = house.db.execute('select mark from account where "user" = ?', (self.user,)).fetchall()

    def call(self, method: str, target: str, body: object = None) -> Any:
        headers = [
            ("Host", "x.example"),
            ("Authorization", f"Bearer {self._key}"),
            ("Content-Type", "application/json"),
        ]
        written = b"" if body is None else json.dumps(body).encode()
        return json.loads(self.exchange.call(Request(method, target, headers, written)).body)


class Owner(Party):
    """An account that has one of everything; uids by the names of places."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        root = TEXTBOOST.mounts[0]
        self.group = self.call("POST", f"{root}/contacts", {"name": "Friends"})["data"]["uid"]
        contact = self.call("POST", f"{root}/contacts/{self.group}/store", {"phone": "8801721970168"})["data"]["uid"]
        send = {"sender_id": "Shop", "message": "Hi"}
        message = self.call("POST", f"{root}/sms/send", {**send, "recipient": "31612345678"})["data"]["uid"]
        begun = self.call("POST", f"{root}/sms/campaign", {**send, "contact_list_id": self.group})["data"]["uid"]
        self.uids = (self.group, contact, message, begun)

    def all(self) -> object:
        """What it has, but for what goes on by itself."""
        root = TEXTBOOST.mounts[0]
        groups, contacts = self.call("GET", f"{root}/contacts"), self.call("GET", f"{root}/contacts/{self.group}/all")
        return groups["data"]["data"], contacts["data"]["data"]


@pytest.fixture(scope="module")
def owner(house: House) -> Owner:
    return Owner(house)


@pytest.fixture(scope="module")
def stranger(house: House) -> Party:
    return Party(house)


def names_for(stranger: Party, owner: Owner) -> list[str]:
    """The uids as their owner is shown them, and as the stranger would be if the things were the stranger's."""
    ids = [id_from_uid(uid, owner.mark) or 0 for uid in owner.uids]
    return [*owner.uids, *(uid_from(each, stranger.mark) for each in ids)]


@pytest.mark.parametrize(("mount", "endpoint"), ROUTES)
def test_a_route_does_not_find_what_is_another_account_s(
    mount: str, endpoint: Endpoint, stranger: Party, owner: Owner
) -> None:
    before, uids = owner.all(), names_for(stranger, owner)
    body = {"name": "Mine", "phone": "8801700000000"}
    if endpoint.method == "POST" and endpoint.path in STANDS_FOR:
        body["_method"] = STANDS_FOR[endpoint.path]
    for group, uid in product(uids, uids) if "{group_id}" in endpoint.path else ((uid, uid) for uid in uids):
        target = mount + endpoint.path.replace("{group_id}", group).replace("{uid}", uid)
        said = stranger.call(endpoint.method, target, None if endpoint.method == "GET" else body)
        assert said["status"] == "error", target
        assert said["message"] in NOT_FOUND, target
    assert owner.all() == before


@pytest.mark.parametrize("mount", TEXTBOOST.mounts)
def test_a_contact_of_another_account_is_not_found_in_an_own_group(mount: str, stranger: Party, owner: Owner) -> None:
    mine = stranger.call("POST", f"{mount}/contacts", {"name": f"Own {mount}"})["data"]["uid"]
    before = owner.all()
    for uid, (method, path) in product(
        names_for(stranger, owner), (("POST", "search"), ("PATCH", "update"), ("DELETE", "delete"))
    ):
        said = stranger.call(method, f"{mount}/contacts/{mine}/{path}/{uid}", {"phone": "8801700000000"})
        assert said["message"] in NOT_FOUND
    assert owner.all() == before


@pytest.mark.parametrize("mount", TEXTBOOST.mounts)
def test_nothing_is_sent_to_another_account_s_groups_nor_listed(mount: str, stranger: Party, owner: Owner) -> None:
    for uid in names_for(stranger, owner):
        said = stranger.call(
            "POST", f"{mount}/sms/campaign", {"contact_list_id": uid, "sender_id": "Shop", "message": "Hi"}
        )
        assert said == {"status": "error", "message": "No query results."}
    assert stranger.call("GET", f"{mount}/sms")["data"]["data"] == []
    shown = {group["uid"] for group in stranger.call("GET", f"{mount}/contacts")["data"]["data"]}
    assert not shown & set(names_for(stranger, owner))
