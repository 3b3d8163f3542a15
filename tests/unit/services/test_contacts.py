import pytest
from sqlalchemy import select

from heliograph.core.contacts import Contact, ContactGroup
from heliograph.core.ids import AccountId, ContactGroupId, ContactId, uid_from
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects import dialect
from heliograph.pipeline.prune import prune
from heliograph.services import contacts as module
from heliograph.services.accounts import Accounts
from heliograph.services.address_book import find_contact, find_group, granted
from heliograph.services.contacts import Contacts
from heliograph.services.refused import Refused, Unknown
from heliograph.store import accounts, contacts
from heliograph.store.engine import Store
from heliograph.store.schema import audit
from tests.unit.services.conftest import StillClock, Tell

ADA, BOB = "+27831234567", "+27831234568"
NOBODY = ContactId(5)


def _fits(book: Contacts) -> dialect.Contacts:
    """What dialects are given; the type checker looks."""
    return book


async def _owner(store: Store, clock: StillClock, name: str = "Crane") -> AccountId:
    return (await Accounts(store, clock).add(name)).account.account_id


async def _group(book: Contacts, account_id: AccountId, name: str = "friends") -> ContactGroup:
    return granted(await book.add_group(account_id, name))


def _contact(group: ContactGroup, msisdn: str = ADA, name: str = "", **fields: str) -> Contact:
    return Contact(group.account_id, group.group_id, NOBODY, msisdn, name, "", fields)


def test_a_group_lives_from_its_making_to_its_end(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock, actor="api")
        made = await _group(book, owner, " friends ")
        assert (made.name, made.contacts, made.created_at_ms) == ("friends", 0, clock.at_ms)
        assert await book.group(owner, made.group_id) == made
        clock.at_ms += 5
        renamed = await book.rename_group(owner, made.group_id, name="family")
        assert renamed == made._replace(name="family", modified_at_ms=clock.at_ms)
        assert await book.group(owner, made.group_id) == renamed
        assert await book.rename_group(owner, made.group_id, name="family") == renamed
        assert await book.remove_group(owner, made.group_id)
        assert await book.group(owner, made.group_id) is None
        assert not await book.remove_group(owner, made.group_id)
        async with store.reading() as connection:
            actions = list(await connection.scalars(select(audit.c.action).order_by(audit.c.id.desc())))
        assert [each for each in actions if each.startswith("group")] == [
            "group.remove",
            "group.rename",
            "group.rename",
            "group.add",
        ]

    tell(story)


def test_names_and_numbers_come_once(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock, actor="api")
        one, two = await _group(book, owner, "one"), await _group(book, owner, "two")
        assert await book.add_group(owner, "one ") == Refusal(Reason.DUPLICATE)
        assert await book.rename_group(owner, two.group_id, name="one") == Refusal(Reason.DUPLICATE)
        ada = granted(await book.add(_contact(one)))
        assert await book.add(_contact(one, "27 83 123 4567")) == Refusal(Reason.DUPLICATE)
        bob = granted(await book.add(_contact(one, BOB)))
        assert await book.change(bob._replace(msisdn=ADA)) == Refusal(Reason.DUPLICATE)
        # The same number in another group, or of another account, is another contact.
        granted(await book.add(_contact(two)))
        stranger = await _owner(store, clock, "Stork")
        granted(await book.add(_contact(await _group(book, stranger, "one"))))
        assert granted(await book.change(ada._replace(first_name="Ada"))).msisdn == ADA
        kept = await book.contacts(owner, one.group_id, page=1, per_page=10)
        assert kept is not None
        assert ([each.msisdn for each in kept.items], kept.total) == ([BOB, ADA], 2)

    tell(story)


def test_a_contact_is_changed_and_removed_by_its_id(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock, actor="api")
        group = await _group(book, owner)
        ada = granted(await book.add(_contact(group, ADA, " Ada ", Town="Rome")))
        assert (ada.first_name, ada.fields) == ("Ada", {"town": "Rome"})
        clock.at_ms += 5
        changed = granted(await book.change(ada._replace(msisdn="27831234568", fields={}, created_at_ms=0)))
        assert changed == ada._replace(msisdn=BOB, fields={}, modified_at_ms=clock.at_ms)
        key = owner, group.group_id
        assert await book.contact(*key, contact_id=ada.contact_id) == changed
        # The old number is free again.
        granted(await book.add(_contact(group)))
        assert await book.remove(*key, contact_id=ada.contact_id)
        assert not await book.remove(*key, contact_id=ada.contact_id)
        assert await book.contact(*key, contact_id=ada.contact_id) is None
        kept = await book.group(*key)
        assert kept is not None
        assert kept.contacts == 1

    tell(story)


def test_what_an_account_has_not_is_not_found(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock, actor="api")
        stranger = await _owner(store, clock, "Stork")
        group, other = await _group(book, owner), await _group(book, owner, "others")
        ada = granted(await book.add(_contact(group)))
        for key in ((stranger, group.group_id), (owner, ContactGroupId(1)), (owner, other.group_id)):
            theirs = ada._replace(account_id=key[0], group_id=key[1])
            assert await book.change(theirs) == Refusal(Reason.NOT_FOUND)
            assert await book.contact(*key, contact_id=ada.contact_id) is None
            assert not await book.remove(*key, contact_id=ada.contact_id)
            if key[1] != other.group_id:
                assert await book.group(*key) is None
                assert await book.contacts(*key, page=1, per_page=5) is None
                assert await book.add(theirs) == Refusal(Reason.NOT_FOUND)
                assert await book.rename_group(*key, name="mine") == Refusal(Reason.NOT_FOUND)
                assert not await book.remove_group(*key)
        assert (await book.groups(stranger, page=1, per_page=5)) == ([], 0)
        assert await book.contact(owner, group.group_id, contact_id=ada.contact_id) == ada

    tell(story)


def test_what_cannot_be_kept_is_refused(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock, actor="api")
        group = await _group(book, owner)
        for name in ("", "n" * 121, "a\0"):
            assert await book.add_group(owner, name) == Refusal(Reason.BAD_CONTACT)
            assert await book.rename_group(owner, group.group_id, name=name) == Refusal(Reason.BAD_CONTACT)
        ada = granted(await book.add(_contact(group)))
        for change in (book.change, book.add):
            assert await change(ada._replace(msisdn="12")) == Refusal(Reason.INVALID_RECIPIENT)
            assert await change(ada._replace(first_name="n" * 121)) == Refusal(Reason.BAD_CONTACT)

    tell(story)


def test_a_suspended_account_changes_nothing_and_the_operator_may(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock, actor="api")
        group = await _group(book, owner)
        ada = granted(await book.add(_contact(group)))
        for values, reason in (
            ({"is_suspended": True}, Reason.SUSPENDED),
            ({"is_suspended": False, "has_agreed": False}, Reason.NOT_AGREED),
        ):
            async with store.writing() as connection:
                await accounts.change(connection, owner, values=values)
            assert await book.add_group(owner, "more") == Refusal(reason)
            assert await book.rename_group(owner, group.group_id, name="more") == Refusal(reason)
            assert await book.add(_contact(group, BOB)) == Refusal(reason)
            assert await book.change(ada._replace(first_name="Ada")) == Refusal(reason)
            assert await book.contact(owner, group.group_id, contact_id=ada.contact_id) == ada
        operator = Contacts(store, clock)
        granted(await operator.change(ada._replace(first_name="Ada")))
        granted(await operator.add_group(owner, "more"))

    tell(story)


def test_pages_are_newest_first(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock, actor="api")
        made = [await _group(book, owner, f"g{number}") for number in range(5)]
        for number in range(7):
            granted(await book.add(_contact(made[0], f"+2783000000{number}")))
        for page, names in ((1, ["g4", "g3"]), (3, ["g0"]), (4, [])):
            listing = await book.groups(owner, page=page, per_page=2)
            assert ([each.name for each in listing.items], listing.total) == (names, 5)
        for page, digits in ((1, "654"), (2, "321"), (3, "0"), (4, ""), (1_000_000, "")):
            found = await book.contacts(owner, made[0].group_id, page=page, per_page=3)
            assert found is not None
            assert ("".join(each.msisdn[-1] for each in found.items), found.total) == (digits, 7)

    tell(story)


def test_a_large_group_is_gone_at_once_and_what_is_left_of_it_is_pruned(
    tell: Tell, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 3)

    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock, actor="api")
        group, other = await _group(book, owner), await _group(book, owner, "others")
        key = owner, group.group_id
        made = [_contact(group, f"+2783{number:07d}") for number in range(1_040)]
        async with store.writing() as connection:
            await contacts.add(connection, *key, made=made, now_ms=clock.at_ms)
        granted(await book.add(_contact(other)))
        assert await book.remove_group(*key)
        assert await book.contacts(*key, page=1, per_page=5) is None
        async with store.reading() as connection:
            assert await contacts.next_removed(connection) == key
            left = await contacts.known(connection, *key, msisdns=[each.msisdn for each in made])
        assert len(left) == 1_010
        await prune(store, clock)
        async with store.reading() as connection:
            assert await contacts.next_removed(connection) is None
            assert not await contacts.known(connection, *key, msisdns=[each.msisdn for each in made])
        kept = await book.group(owner, other.group_id)
        assert kept is not None
        assert kept.contacts == 1

    tell(story)


def test_people_name_groups_and_contacts_as_they_know_them(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, book = await _owner(store, clock), Contacts(store, clock)
        group = await _group(book, owner)
        ada = granted(await book.add(_contact(group)))
        found = await find_group(store, "Crane", "friends")
        assert found.group.group_id == group.group_id
        assert await find_group(store, "Crane", found.uid) == found
        assert found.uid == uid_from(group.group_id, found.account.mark)
        for written in (ADA, "27 83 123 4567", found.uid_of(ada)):
            assert await find_contact(store, found, written) == ada
        for written in (BOB, "nobody", uid_from(NOBODY, found.account.mark)):
            with pytest.raises(Unknown, match="has no contact"):
                await find_contact(store, found, written)
        await _owner(store, clock, "Stork")
        for account, written in (("Crane", "family"), ("Stork", "friends"), ("Stork", found.uid)):
            with pytest.raises(Unknown, match="has no contact group"):
                await find_group(store, account, written)
        with pytest.raises(Refused, match="There is one like this already"):
            granted(await book.add_group(owner, "friends"))

    tell(story)
