"""What is exported comes back as it was when it is imported, whatever it is, and no cell of it is run."""

import csv
import re
import string
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.core.contact_rows import HEADER, columns_from, contact_from, guarded, row_from, unguarded
from heliograph.core.contacts import Contact, good_contact
from heliograph.core.ids import AccountId, ContactGroupId, ContactId
from heliograph.services.tables.reading import opened
from heliograph.services.tables.writing import written

ACCOUNT, GROUP = AccountId(1), ContactGroupId(2)
RUN = re.compile(r"\s*[=+\-@\t\r]")

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"), max_size=20)
_TRICKY = st.text(st.sampled_from("'=+-@\t\r\n \"; ,_x0041_"), max_size=12)
_VALUES = _TEXTS | _TRICKY
_NAMES = st.sampled_from(["town", "phone", "first name", "=name", "'@x", "mobile", "a,b", "_x000D_"]) | st.text(
    string.printable, min_size=1, max_size=8
)
_NUMBERS = st.integers(min_value=1_000_000, max_value=999_999_999_999_999).map("+{}".format)


@st.composite
def contacts(draw: st.DrawFn) -> list[Contact]:
    """Contacts as the address book keeps them."""
    kept = []
    for _ in range(draw(st.integers(1, 4))):
        fields = draw(st.dictionaries(_NAMES, _VALUES, max_size=4))
        said = Contact(ACCOUNT, GROUP, ContactId(0), draw(_NUMBERS), draw(_VALUES), draw(_VALUES), fields)
        good = good_contact(said)
        if isinstance(good, Contact):
            kept.append(good)
    return kept


@given(_VALUES)
def test_a_guarded_text_is_not_run_and_comes_back(text: str) -> None:
    assert not RUN.match(guarded(text))
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(kept=contacts())
def test_contacts_come_back_as_they_were(ending: str, kept: list[Contact]) -> None:
    names = sorted({name for each in kept for name in each.fields})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"contacts{ending}"
        with written(path, guarded) as write:
            write([*HEADER, *names])
            for each in kept:
                write(row_from(each, names))
        if ending == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                assert not [cell for row in csv.reader(file) for cell in row if RUN.match(cell)]
        with opened(path) as table:
            header = next(iter(table.rows))
            columns = columns_from(header, {})
            back = [
                contact_from(row, columns, number=number, account_id=ACCOUNT, group_id=GROUP)
                for number, row in enumerate(table.rows, 2)
            ]
    assert back == kept
