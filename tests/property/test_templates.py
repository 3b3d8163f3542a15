"""Merging: nothing but merge fields changes, and values are never read again."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.contacts import Contact
from heliograph.core.ids import AccountId, ContactGroupId, ContactId
from heliograph.core.templates import Template, field_name

NASTY = st.text(alphabet=st.sampled_from("{}|% \n_-.aBé1\"':,\0\ud800") | st.characters())
NAMES = st.from_regex(r"[A-Za-zäß][A-Za-z0-9 _.()#/&'\-]{0,8}", fullmatch=True)
BLANKS = st.sampled_from(["", " ", "  "])


def contact(first_name: str = "", last_name: str = "", fields: dict[str, str] | None = None) -> Contact:
    return Contact(AccountId(1), ContactGroupId(2), ContactId(3), "+1", first_name, last_name, fields=fields or {})


@given(text=NASTY, fields=st.dictionaries(NASTY, NASTY), first_name=NASTY)
def test_any_text_merges_with_any_contact(text: str, fields: dict[str, str], first_name: str) -> None:
    template = Template(text)
    merged = template.merge(contact(first_name, fields=fields))
    if not template.merge_fields:
        assert merged == text


@given(text=NASTY)
def test_a_text_without_braces_stays(text: str) -> None:
    plain = text.replace("{", "(")
    assert Template(plain).merge(contact("Ann")) == plain


@given(
    literals=st.lists(NASTY.map(lambda text: text.replace("{", "").replace("}", "")), min_size=2, max_size=5),
    value=NASTY.filter(lambda text: bool(text) and not text.isspace()),
    name=NAMES.filter(lambda name: field_name(name) not in ("first_name", "last_name", "phone", "msisdn")),
    blanks=BLANKS,
    is_double=st.booleans(),
)
def test_each_field_becomes_the_value_and_all_else_stays(
    literals: list[str], value: str, name: str, blanks: str, is_double: bool
) -> None:
    field = f"{{{blanks}{name.upper()}{blanks}|default}}"
    text = (f"{{{field}}}" if is_double else field).join(literals)
    template = Template(text)
    assert [each.name for each in template.merge_fields] == [field_name(name.upper())] * (len(literals) - 1)
    assert template.merge(contact(fields={name.lower(): value})) == value.join(literals)
    assert template.merge(contact()) == "default".join(literals)


@given(name=NAMES)
def test_how_a_name_is_written_makes_no_difference(name: str) -> None:
    assert field_name(name) == field_name(name.upper().lower().replace(" ", "_")) == field_name(f" {name} ")


@given(text=NASTY)
def test_merging_twice_gives_the_same(text: str) -> None:
    template = Template(text)
    ann = contact("Ann", "{first_name}", {"x": "{x}"})
    assert template.merge(ann) == template.merge(ann) == Template(text).merge(ann)
