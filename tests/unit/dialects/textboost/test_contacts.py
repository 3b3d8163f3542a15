import pytest

from heliograph.core.reasons import Reason
from tests.unit.dialects.textboost.calls import ROOTS, call, contact_in, group_in
from tests.unit.dialects.world import account_of, world_with

UNKNOWN = (200, "error", "No query results.", None)


@pytest.mark.parametrize("root", ROOTS)
def test_a_group_is_made_shown_renamed_listed_and_removed(root: str) -> None:
    world = world_with()
    made = call(world, "POST", "/contacts", {"name": " Codeglen "}, root=root)
    uid = made.data["uid"]
    assert made == (200, "success", "Contact group was successfully added", {"uid": uid, "name": "Codeglen"})
    for method in ("POST", "GET"):
        for slash in ("", "/"):
            shown = call(world, method, f"/contacts/{uid}/show{slash}", root=root)
            assert shown == (200, "success", None, {"uid": uid, "name": "Codeglen"})
    for method, name in (("PATCH", "B"), ("PUT", "C")):
        renamed = call(world, method, f"/contacts/{uid}", {"name": name}, root=root)
        assert renamed[2:] == ("Contact group was successfully updated", {"uid": uid, "name": name})
    assert call(world, "GET", "/contacts/", root=root).data["data"] == [{"uid": uid, "name": "C"}]
    assert call(world, "DELETE", f"/contacts/{uid}", root=root)[2:] == ("Contact group was successfully deleted", None)
    assert call(world, "POST", f"/contacts/{uid}/show", root=root) == UNKNOWN


@pytest.mark.parametrize(
    ("method", "more", "message"),
    [
        ("PATCH", b"name=B", "Contact group was successfully updated"),
        ("put", b"name=B", "Contact group was successfully updated"),
        ("DELETE", b"", "Contact group was successfully deleted"),
        ("GET", b"", "The method is not supported for this route."),
    ],
)
def test_a_form_names_the_method_it_stands_for(method: str, more: bytes, message: str) -> None:
    world = world_with()
    body = b"_method=%b&%b" % (method.encode(), more)
    assert call(world, "POST", f"/contacts/{group_in(world)}", body).message == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "The name field is required."),
        ({"name": None}, "The name field is required."),
        ({"name": "  "}, "The name field is required."),
        (b"{body}", "The name field is required."),
        ({"name": ["A"]}, "The name must be a string."),
        ({"name": True}, "The name must be a string."),
        ({"name": "x" * 121}, "The name may not be greater than 120 characters."),
        ({"name": "a\0"}, "The name format is invalid."),
        ({"name": "Friends"}, "Friends already available as your contact group."),
    ],
)
def test_bad_names_of_groups(body: object, message: str) -> None:
    world = world_with()
    group_in(world)
    other = group_in(world, "Other")
    for method, path in (("POST", "/contacts"), ("PATCH", f"/contacts/{other}")):
        assert call(world, method, path, body) == (200, "error", message, None)
    assert len(world.groups) == 2


def test_a_suspended_account_makes_no_group() -> None:
    said = call(world_with(account_of(is_suspended=True)), "POST", "/contacts", {"name": "A"})
    assert (said.http, said.message) == (403, Reason.SUSPENDED.sentence)


@pytest.mark.parametrize("root", ROOTS)
def test_a_contact_is_added_found_changed_listed_and_removed(root: str) -> None:
    world = world_with()
    group = group_in(world)
    added = call(world, "POST", f"/contacts/{group}/store", {"phone": "8801721970168", "first_name": "Ada"}, root=root)
    uid = added.data["uid"]
    saved = {
        "uid": uid,
        "phone": 8801721970168,
        "status": "subscribe",
        "first_name": "Ada",
        "last_name": None,
        "created_at": "2026-11-18T11:06:40.000000Z",
        "updated_at": "2026-11-18T11:06:40.000000Z",
        "custom_fields": {"FIRST_NAME": "Ada", "LAST_NAME": None},
    }
    assert added == (200, "success", "Contact was successfully added", saved)
    found = {"uid": uid, "phone": 8801721970168, "first_name": "Ada", "last_name": None}
    for method in ("POST", "GET"):
        assert call(world, method, f"/contacts/{group}/search/{uid}", root=root) == (200, "success", None, found)
        assert call(world, method, f"/contacts/{group}/all", root=root).data["data"] == [found]
    world.clock.wall_ms += 1000
    for method, body in (
        ("PATCH", {"phone": 8801821475168}),
        ("PUT", {"phone": "+880 1821-475168"}),
        ("POST", b"_method=PATCH&phone=8801821475168"),
    ):
        changed = call(world, method, f"/contacts/{group}/update/{uid}", body, root=root)
        assert changed.message == "Contact was successfully updated"
        assert changed.data == {**saved, "phone": 8801821475168, "updated_at": "2026-11-18T11:06:41.000000Z"}
    removed = call(world, "DELETE", f"/contacts/{group}/delete/{uid}", root=root)
    assert removed == (200, "success", "Contact was successfully deleted", None)
    assert call(world, "POST", f"/contacts/{group}/all", root=root).data["data"] == []


def test_a_form_deletes_a_contact() -> None:
    world = world_with()
    group = group_in(world)
    uid = contact_in(world, group)
    said = call(world, "POST", f"/contacts/{group}/delete/{uid}", b"_method=DELETE")
    assert (said.message, world.contacts) == ("Contact was successfully deleted", {})


def test_fields_are_those_in_capital_letters_and_those_said_to_be_fields() -> None:
    world = world_with()
    group = group_in(world)
    body = {"PHONE": 8801721970168, "LAST_NAME": "L", "CITY": "Dhaka", "custom_fields": {"Size": 42}, "colour": "red"}
    said = call(world, "POST", f"/contacts/{group}/store", body)
    assert said.data["custom_fields"] == {"FIRST_NAME": None, "LAST_NAME": "L", "CITY": "Dhaka", "SIZE": "42"}
    (contact,) = world.contacts.values()
    assert contact.fields == {"city": "Dhaka", "size": "42"}


def test_what_is_left_out_of_a_change_stays_and_what_is_empty_goes() -> None:
    world = world_with()
    group = group_in(world)
    uid = contact_in(world, group, first_name="Ada", last_name="L", CITY="Dhaka", SIZE="42")
    path = f"/contacts/{group}/update/{uid}"
    said = call(world, "PATCH", path, {"phone": "8801721970168", "last_name": "", "SIZE": None})
    assert said.data["custom_fields"] == {"FIRST_NAME": "Ada", "LAST_NAME": None, "CITY": "Dhaka"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "The phone field is required."),
        ({"first_name": "Ada"}, "The phone field is required."),
        ({"phone": ""}, "The phone field is required."),
        ({"phone": ["8801721970168"]}, "The phone must be a string."),
        ({"phone": 1.5}, "The phone must be a string."),
        ({"phone": "123456"}, "123456 is a invalid phone number"),
        ({"phone": "call me"}, "call me is a invalid phone number"),
        ({"phone": "9" * 300}, "The phone may not be greater than 120 characters."),
        ({"phone": "9" * 100}, f"{'9' * 40} is a invalid phone number"),
        ({"phone": "8801721970168", "first_name": {}}, "The first name must be a string."),
        ({"phone": "8801721970168", "first_name": "x" * 121}, "The first name may not be greater than 120 characters."),
        ({"phone": "8801721970168", "last_name": "a\x07"}, "The last name format is invalid."),
        ({"phone": "8801721970168", "CITY": "x" * 1001}, "The CITY may not be greater than 1000 characters."),
        ({"phone": "8801721970168", "X" * 121: "x"}, "The field may not be greater than 120 characters."),
        ({"phone": "8801721970168", "custom_fields": "x"}, "The custom fields must be a string."),
        ({"phone": "8801721970168", "custom_fields": {"a\0": "x"}}, "The field format is invalid."),
        ({"phone": "8801700000000"}, "You have already subscribed to Friends"),
    ],
)
def test_bad_contacts(body: object, message: str) -> None:
    world = world_with()
    group = group_in(world)
    contact_in(world, group, "8801700000000")
    uid = contact_in(world, group, "8801700000001")
    for method, path in (("POST", "store"), ("PATCH", f"update/{uid}")):
        assert call(world, method, f"/contacts/{group}/{path}", body) == (200, "error", message, None)
    assert len(world.contacts) == 2


def test_a_contact_of_another_group_is_not_found() -> None:
    world = world_with()
    group, other = group_in(world), group_in(world, "Other")
    uid = contact_in(world, group)
    missed = (404, "error", "Sorry, but the page you were trying to view does not exist.", None)
    assert call(world, "POST", f"/contacts/{other}/search/{uid}") == missed
    assert call(world, "PATCH", f"/contacts/{other}/update/{uid}", {"phone": "8801721970169"}) == UNKNOWN
    assert call(world, "DELETE", f"/contacts/{other}/delete/{uid}") == UNKNOWN


@pytest.mark.parametrize("uid", ["", "x", "0123456789abc", "0123456789ABC", "%00", "..", "0" * 13])
def test_what_is_no_group_of_the_account_is_not_found(uid: str) -> None:
    world = world_with()
    for method, path in (("GET", "show"), ("GET", "all"), ("POST", "store"), ("GET", "search/0123456789abc")):
        assert call(world, method, f"/contacts/{uid}/{path}", {"phone": "8801721970168"}) == UNKNOWN


def test_lists_have_25_items_a_page_and_any_page_may_be_asked_for() -> None:
    world = world_with()
    group = group_in(world)
    for number in range(26):
        contact_in(world, group, 8801721970100 + number)
    first = call(world, "POST", f"/contacts/{group}/all").data
    assert (len(first["data"]), first["total"], first["last_page"], first["per_page"]) == (25, 26, 2, 25)
    address = f"https://sms.example/api/v3/contacts/{group}/all"
    assert (first["path"], first["next_page_url"]) == (address, f"{address}?page=2")
    for target, body in (("?page=2", None), ("", {"page": 2}), ("", b"page=2")):
        second = call(world, "POST", f"/contacts/{group}/all{target}", body).data
        assert (len(second["data"]), second["current_page"], second["from"], second["to"]) == (1, 2, 26, 26)
