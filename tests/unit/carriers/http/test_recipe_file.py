"""Recipes are read to the last key, and every mistake is told with file, key and what is wrong."""

import re
from pathlib import Path

import pytest

from heliograph.carriers.http.recipe_file import MOST_OCTETS, recipe_from, recipe_named, shipped
from heliograph.carriers.settings import BadCarrier
from heliograph.core.messages import Channel
from heliograph.core.reasons import Reason

GOOD = """
[authentication]
kind = "basic"

[sms]
method = "POST"
path = "/send"
body = "json"
fields = { to = "{recipient}", text = "{text}" }

[[sms.answer]]
when = { status = "2xx" }
is = "submitted"
id = "json:id"
"""

CALLBACK = """
[[callback]]
is = "receipts"
id = "json:id"
state = "json:state"
states = { delivered = ["D"] }
"""


def test_every_recipe_that_is_shipped_is_good() -> None:
    assert shipped() == ["bulkvs", "jasmin", "kannel", "textboost", "touchbasepro"]
    for name in shipped():
        assert Channel.SMS in recipe_named(name).channels


def test_a_recipe_may_be_a_file_of_the_operators(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(GOOD)
    assert recipe_named(str(path)).name == "own.toml"
    with pytest.raises(BadCarrier, match=r"the recipe .*none\.toml cannot be read: No such file"):
        recipe_named(str(tmp_path / "none.toml"))
    with pytest.raises(BadCarrier, match="path that does not begin at /"):
        recipe_named("own/own.toml")
    with pytest.raises(BadCarrier, match="there is no recipe 'nobody'"):
        recipe_named("nobody")


def test_what_mms_does_not_say_is_as_for_sms() -> None:
    more = '[mms]\nlike = "sms"\nmost_media = 2\nfields = { to = "{recipient}", files = "{media}" }\n'
    sending = recipe_from("own.toml", (GOOD + more).encode()).sending
    assert sending[Channel.MMS].rules == sending[Channel.SMS].rules
    assert (sending[Channel.MMS].most_media, sending[Channel.MMS].form.method) == (2, "POST")


MISTAKES = [
    ("", "", "own.toml: the file sends nothing: write [sms], or [mms], or both"),
    (GOOD, "x = [", "own.toml: is no TOML: "),
    (GOOD, "[smss]", "own.toml: smss is no key of a recipe"),
    (GOOD, "[poll]\nevery_s = 0", "own.toml: poll.single is missing"),
    (GOOD.replace('"POST"', '"DELETE"'), "", "sms.method is one of GET, POST, PUT, not 'DELETE'"),
    (GOOD.replace('"POST"', '"GET"'), "", "sms.body of a GET is query"),
    (GOOD.replace('"/send"', '"send"'), "", "sms.path cannot be: 'send' does not begin with a slash"),
    (GOOD.replace('"/send"', '"/send?a=b"'), "", "sms.path cannot be: it has no ?"),
    (GOOD.replace('path = "/send"', ""), "", "sms.path is missing"),
    (GOOD.replace("{recipient}", "{recipent}"), "", "sms.fields cannot be: {recipent} is none of {callback}"),
    (GOOD.replace("{recipient}", "{recipient"), "", "sms.fields cannot be: a { stands alone"),
    (GOOD.replace("{recipient}", "to {media}"), "", "sms.fields cannot be: 'to {media}' has something beside a list"),
    (GOOD.replace("fields = {", 'headers = { Host = "a" }\nfields = {'), "", "sms.headers cannot be: 'Host' is no"),
    (GOOD.replace('"json:id"', '"json"'), "", "sms.answer[1].id cannot be: 'json' is written \"json:\""),
    (GOOD.replace('"json:id"', '"jsn:id"'), "", "sms.answer[1].id cannot be: 'jsn:id' begins with none of"),
    (GOOD.replace('"json:id"', '{ at = "text", decode = "rot13" }'), "", "sms.answer[1].id.decode is one of"),
    (GOOD.replace('"json:id"', '{ at = "text", decode = "utf-16" }'), "", "'utf-16' is for query: and form: alone"),
    (GOOD.replace('"json:id"', '{ at = "text", between = ["a"] }'), "", "id.between cannot be: it is two texts"),
    (GOOD.replace('"json:id"', '{ at = "text", of = 1 }'), "", "sms.answer[1].id.of is no key of a recipe"),
    (GOOD.replace('"submitted"', '"done"'), "", "sms.answer[1].is is one of deferred, in doubt, refused"),
    (GOOD.replace('"submitted"', '"refused"').replace('id = "json:id"', ""), "", "sms.answer has no rule for what was"),
    (GOOD.replace("status", '"query:a"'), "", 'sms.answer[1].when."query:a" cannot be: '),
    (GOOD.replace('"2xx"', "[1.5]"), "", "cannot be: 1.5 is no text, whole number, true or false"),
    (GOOD, '[[sms.answer]]\nis = "refused"\nreason = "mood"', "sms.answer[2].reason is one of bad-media"),
    (GOOD, '[[sms.answer]]\nis = "deferred"\nafter_s = 0', "sms.answer[2].after_s is a whole number from 1 to"),
    (GOOD, '[authentication]\nkind = "basic"', "own.toml: is no TOML: "),
    (GOOD.replace('"basic"', '"fields"'), "", "authentication.key is missing"),
    (GOOD, CALLBACK.replace("delivered", "arrived"), "callback[1].states.arrived is none of delivered, undelivered"),
    (GOOD, CALLBACK.replace('["D"]', '["D"], expired = ["D"]'), "callback[1].states.expired has 'D', which is the"),
    (GOOD, CALLBACK.replace('["D"]', '"D"'), "callback[1].states.delivered is a list of the carrier's words"),
    (GOOD, CALLBACK.replace('id = "json:id"', ""), "callback[1].id is missing"),
    (GOOD, CALLBACK.replace('"json:id"', '"item:id"'), "callback[1].id cannot be: 'item:id' begins with none of"),
    (GOOD, CALLBACK + 'addresses = ["json:a", "json:b", "json:c"]', "callback[1].addresses cannot be: it is a"),
    (GOOD, CALLBACK + 'answer = { status = 500 }', "callback[1].answer.status is a whole number from 200 to 299"),
    (GOOD, CALLBACK + 'each = "query:a"', "callback[1].each cannot be: 'query:a' names no place in JSON"),
    (GOOD, '[[setup]]\npath = "/a/{text}"', "setup[1].path cannot be: {text} is none of {callback}, {key}, {user}"),
]  # fmt: skip


@pytest.mark.parametrize(("recipe", "more", "sentence"), MISTAKES, ids=[mistake[2][:40] for mistake in MISTAKES])
def test_a_mistake_is_told_with_its_place(recipe: str, more: str, sentence: str) -> None:
    with pytest.raises(BadCarrier, match=re.escape(sentence)) as raised:
        recipe_from("own.toml", (recipe + more).encode())
    assert str(raised.value).startswith("recipe own.toml: ")


def test_a_recipe_has_its_bounds() -> None:
    with pytest.raises(BadCarrier, match="larger than 64 KiB"):
        recipe_from("own.toml", b"#" * (MOST_OCTETS + 1))
    with pytest.raises(BadCarrier):
        recipe_from("own.toml", b"x = " + b"[" * 30_000)
    nested = "{ a = " * 12 + "1" + " }" * 12
    with pytest.raises(BadCarrier, match="cannot stand there"):
        recipe_from("own.toml", GOOD.replace('"{text}"', nested).encode())


def test_what_is_asked_of_the_carrier_must_say_how_what_came_in_is_told_apart() -> None:
    poll = """
[poll]
single = { path = "/a/{id}", item = "json:" }
list = { path = "/a", each = "json:" }
incoming = { sender = "item:from", when = { "item:to" = "{numbers}" } }

[poll.receipts]
id = "item:id"
state = "item:state"
states = { delivered = ["D"] }
"""
    with pytest.raises(BadCarrier, match=r"poll\.incoming needs list, when and id"):
        recipe_from("own.toml", (GOOD + poll).encode())


def test_a_refusal_may_have_a_reason_of_ours() -> None:
    rule = '[[sms.answer]]\nis = "refused"\nreason = "invalid-recipient"\n'
    found = recipe_from("own.toml", (GOOD + rule).encode()).sending[Channel.SMS].rules[1]
    assert found.reason is Reason.INVALID_RECIPIENT
