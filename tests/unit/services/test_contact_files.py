"""Import and export, from rows to a group and back."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from heliograph.core.contact_rows import Rejected
from heliograph.core.contacts import Contact
from heliograph.core.ids import ContactId
from heliograph.services import contact_export, contact_import
from heliograph.services.accounts import Accounts
from heliograph.services.address_book import Found, find_group, granted
from heliograph.services.contact_export import export
from heliograph.services.contact_import import ContactImport, Tally
from heliograph.services.contacts import Contacts
from heliograph.services.refused import Refused
from heliograph.store.engine import Store
from heliograph.store.schema import audit
from tests.unit.services.conftest import StillClock, Tell

HEADER = ["phone", "first name", "town"]


def _number(place: int) -> str:
    return f"+2783{place:07d}"


async def _friends(store: Store, clock: StillClock) -> Found:
    account = (await Accounts(store, clock).add("Crane")).account
    granted(await Contacts(store, clock).add_group(account.account_id, "friends"))
    return await find_group(store, "Crane", "friends")


async def _import(
    store: Store,
    into: Found,
    rows: Sequence[Sequence[str]],
    *,
    update: bool = False,
    rejects: list[Rejected] | None = None,
) -> Tally:
    clock = StillClock()
    importing = ContactImport(
        store, clock, into=into, is_updating=update, reject=(rejects if rejects is not None else []).append
    )
    return await importing.take(iter(rows), {})


async def _all(store: Store, into: Found) -> dict[str, tuple[str, dict[str, str]]]:
    listing = await Contacts(store, StillClock()).contacts(
        into.group.account_id, into.group.group_id, page=1, per_page=5_000
    )
    assert listing is not None
    assert listing.total == len(listing.items)
    return {each.msisdn: (each.first_name, dict(each.fields)) for each in listing.items}


def test_rows_become_contacts_once_however_often_they_come(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        into = await _friends(store, clock)
        rows = [[], HEADER, [_number(1), "Ada", "Rome"], ["", " ", ""], ["no", "x"], [_number(2)], [_number(1), "Eve"]]
        rejects: list[Rejected] = []
        tally = await _import(store, into, rows, rejects=rejects)
        assert (tally.rows, tally.added, tally.known, tally.changed, tally.rejected) == (4, 2, 1, 0, 1)
        assert [(each.number, each.written) for each in rejects] == [(5, "no")]
        assert dict(tally.why) == {rejects[0].why: 1}
        kept = {_number(1): ("Ada", {"town": "Rome"}), _number(2): ("", {})}
        assert await _all(store, into) == kept
        tally = await _import(store, into, rows)
        assert (tally.added, tally.known) == (0, 3)
        assert await _all(store, into) == kept

    tell(story)


def test_an_update_changes_what_the_table_has_columns_for(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        into = await _friends(store, clock)
        key = into.group.account_id, into.group.group_id
        ada = Contact(*key, ContactId(0), _number(1), "Ada", "Lovelace", {"town": "Rome", "pet": "cat"})
        granted(await Contacts(store, clock).add(ada))
        rows = [HEADER, [_number(1), "A.", ""], [_number(2), "Bob", "x"], [_number(2), "Ben", "Paris"]]
        tally = await _import(store, into, rows, update=True)
        assert (tally.rows, tally.added, tally.changed, tally.known) == (3, 1, 1, 1)
        assert await _all(store, into) == {_number(1): ("A.", {"pet": "cat"}), _number(2): ("Ben", {"town": "Paris"})}
        again = await _import(store, into, rows, update=True)
        assert (again.added, again.changed, again.known) == (0, 0, 3)
        many = {f"f{number}": "x" for number in range(50)}
        granted(await Contacts(store, clock).add(ada._replace(msisdn=_number(3), fields=many)))
        rejects: list[Rejected] = []
        tally = await _import(store, into, [HEADER, [_number(3), "", "Rome"]], update=True, rejects=rejects)
        assert (tally.changed, tally.known, tally.rejected) == (0, 0, 1)
        assert rejects == [Rejected(2, _number(3), "There would be more than 50 fields.")]

    tell(story)


def test_many_rows_are_kept_in_many_transactions(
    tell: Tell, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_import, "GATHERED", 500)
    monkeypatch.setattr(contact_import, "MOST_ROWS", 60)
    monkeypatch.setattr(contact_export, "PAGE", 100)

    async def story(store: Store) -> None:
        into = await _friends(store, clock)
        rows = [HEADER, *([_number(place * 7919 % 1_201), f"n{place}", "t"] for place in range(1_201))]
        tally = await _import(store, into, rows)
        assert (tally.rows, tally.added) == (1_201, 1_201)
        back: list[Sequence[str]] = []
        steps: list[int] = []
        assert await export(store, into.group, write=back.append, step=steps.append) == 1_201
        assert sum(steps) == 2 * 1_201
        assert back[0] == ["msisdn", "first_name", "last_name", "town"]
        assert sorted((row[0], row[1]) for row in back[1:]) == sorted((row[0], row[1]) for row in rows[1:])
        async with store.reading() as connection:
            noted = list(await connection.scalars(select(audit.c.action).where(audit.c.action == "group.import")))
        assert noted == ["group.import"]

    tell(story)


def test_a_transaction_that_takes_long_makes_the_next_one_shorter(tell: Tell, clock: StillClock) -> None:
    class SlowClock(StillClock):
        def monotonic(self) -> float:
            self.at_ms += 60
            return super().monotonic()

    async def story(store: Store) -> None:
        into = await _friends(store, clock)
        sizes: list[int] = []

        class Watched(ContactImport):
            async def _put(self, connection, piece, columns):  # type: ignore[no-untyped-def]
                sizes.append(len(piece))
                await super()._put(connection, piece, columns)

        rows = [HEADER, *([_number(place)] for place in range(3_000))]
        tally = await Watched(store, SlowClock(), into=into).take(iter(rows), {})
        assert tally.added == sum(sizes) == 3_000
        assert sizes[:4] == [1_000, 750, 562, 421]

    tell(story)


def test_what_cannot_be_imported_is_refused(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        into = await _friends(store, clock)
        with pytest.raises(Refused, match="The table is empty"):
            await _import(store, into, [[], ["", ""]])
        with pytest.raises(Refused, match="No column is called msisdn"):
            await _import(store, into, [["name"], ["x"]])
        await Contacts(store, clock).remove_group(into.group.account_id, into.group.group_id)
        with pytest.raises(Refused, match="was removed while contacts were imported"):
            await _import(store, into, [HEADER, [_number(1)]])

    tell(story)


def test_more_fields_than_a_table_holds_are_not_exported(
    tell: Tell, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_export, "MOST_COLUMNS", 4)

    async def story(store: Store) -> None:
        into = await _friends(store, clock)
        await _import(store, into, [["phone", "a", "b"], [_number(1), "x", ""], [_number(2), "", "x"]])
        with pytest.raises(Refused, match="more fields than a table of 4 columns"):
            await export(store, into.group, write=lambda _: None)

    tell(story)
