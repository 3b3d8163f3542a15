"""Address books on every engine."""

from collections.abc import Awaitable, Sequence
from functools import partial

from sqlalchemy.event import listen

from heliograph.core.contacts import Contact, ContactGroup
from heliograph.core.ids import AccountId, ContactGroupId, ContactId, first_at
from heliograph.store import contacts
from heliograph.store.connection import Connection
from heliograph.store.contacts import Stretch
from heliograph.testing.stores import NOW_MS, FreshSqlite, FreshStore

LAST = ContactId(2**52)
NOWHERE = ContactGroupId(0)


def _number(place: int) -> str:
    return f"+2783{place:07d}"


def _group(engine: FreshStore, name: str, account_id: AccountId | None = None) -> ContactGroup:
    its = account_id or engine.account_id
    return engine.writing(lambda connection: contacts.add_group(connection, its, name=name, now_ms=NOW_MS))


def _add(engine: FreshStore, group: ContactGroup, places: Sequence[int], *, now_ms: int = NOW_MS) -> list[Contact]:
    made = [Contact(group.account_id, group.group_id, ContactId(0), _number(each)) for each in places]
    ids = engine.writing(
        lambda connection: contacts.add(connection, group.account_id, group.group_id, made=made, now_ms=now_ms)
    )
    return [each._replace(contact_id=ContactId(its)) for each, its in zip(made, ids, strict=True)]


def _stretch(
    engine: FreshStore,
    group: ContactGroup,
    *,
    after: int = 0,
    upto: int = LAST,
    most: int = 10,
    not_in: Sequence[int] = (),
) -> tuple[list[str], ContactId | None]:
    within = Stretch(group.account_id, group.group_id, ContactId(after), ContactId(upto))
    earlier = [ContactGroupId(each) for each in not_in]
    found, last_id = engine.reading(lambda connection: contacts.stretch(connection, within, most=most, not_in=earlier))
    return [each.msisdn for each in found], last_id


def test_ids_rise_within_a_group_whatever_the_clock_does(engine: FreshStore) -> None:
    group = _group(engine, "friends")
    first = _add(engine, group, [1, 2, 3])
    assert [each.contact_id - first_at(NOW_MS) for each in first] == [1, 2, 3]
    second = _add(engine, group, [4], now_ms=NOW_MS - 1_000)
    assert second[0].contact_id == first[-1].contact_id + 1
    third = _add(engine, group, [5], now_ms=NOW_MS + 1)
    assert third[0].contact_id == first_at(NOW_MS + 1) + 1
    # Adding none changes nothing.
    assert _add(engine, group, []) == []
    kept = engine.reading(lambda connection: contacts.group(connection, group.account_id, group.group_id))
    assert kept == group._replace(contacts=5)


def test_ids_of_groups_rise_within_an_account_even_above_a_removed_one(engine: FreshStore) -> None:
    one = _group(engine, "one")
    _add(engine, one, [1])
    assert engine.writing(lambda connection: contacts.remove_group(connection, one.account_id, one.group_id))
    two = _group(engine, "two")
    assert two.group_id == one.group_id + 1
    assert _stretch(engine, two) == ([], None)


def test_what_is_kept_of_a_contact_comes_back(engine: FreshStore) -> None:
    group = _group(engine, "friends")
    wanted = Contact(
        group.account_id,
        group.group_id,
        ContactId(0),
        _number(1),
        first_name="Ada",
        last_name="Müller 🙂",
        fields={"town": "Zürich", "note": "a\nb"},
    )
    key = group.account_id, group.group_id
    (its,) = engine.writing(lambda connection: contacts.add(connection, *key, made=[wanted], now_ms=NOW_MS))
    made = wanted._replace(contact_id=ContactId(its), created_at_ms=NOW_MS, modified_at_ms=NOW_MS)
    read = partial(contacts.contact_numbered, account_id=key[0], group_id=key[1], contact_id=made.contact_id)
    assert engine.reading(read) == made
    changed = made._replace(msisdn=_number(2), first_name="", fields={}, modified_at_ms=NOW_MS + 5)
    engine.writing(lambda connection: contacts.change(connection, [changed], now_ms=NOW_MS + 5))
    assert engine.reading(read) == changed
    assert engine.reading(
        lambda connection: contacts.known(connection, *key, msisdns=[_number(1), _number(2), _number(3)])
    ) == {_number(2): made.contact_id}


def test_pages_are_newest_first_from_whichever_end_they_are_counted(engine: FreshStore) -> None:
    group = _group(engine, "friends")._replace(contacts=7)
    _add(engine, group, range(7))
    for most in (1, 2, 3, 7, 10):
        seen: list[str] = []
        for skip in range(0, 9, most):
            found = engine.reading(
                lambda connection, skip=skip, most=most: contacts.page(connection, group, most=most, skip=skip)  # type: ignore[misc]
            )
            seen += [each.msisdn for each in found]
        assert seen == [_number(each) for each in range(6, -1, -1)]


def test_a_stretch_is_read_piece_by_piece_without_those_of_earlier_groups(engine: FreshStore) -> None:
    one, two, three = (_group(engine, name) for name in ("one", "two", "three"))
    _add(engine, one, [1, 3])
    _add(engine, two, [4])
    made = _add(engine, three, range(7))
    numbers = [_number(each) for each in range(7)]
    assert _stretch(engine, three) == (numbers, None)
    assert _stretch(engine, three, after=made[1].contact_id, upto=made[4].contact_id) == (numbers[2:5], None)
    assert _stretch(engine, three, most=2) == (numbers[:2], made[1].contact_id)
    earlier = [one.group_id, two.group_id]
    assert _stretch(engine, three, not_in=earlier) == ([numbers[0], numbers[2], *numbers[5:]], None)
    # Nobody of this piece is left, and yet the stretch goes on.
    assert _stretch(engine, three, after=made[2].contact_id, most=2, not_in=earlier) == ([], made[4].contact_id)
    stranger = one._replace(account_id=engine.add_account("stork", 0))
    assert _stretch(engine, stranger) == ([], None)


def test_a_group_is_gone_at_once_and_its_contacts_bit_by_bit(engine: FreshStore) -> None:
    group, other = _group(engine, "friends"), _group(engine, "others")
    _add(engine, group, range(5))
    _add(engine, other, range(5))
    key = group.account_id, group.group_id
    assert engine.writing(lambda connection: contacts.remove_group(connection, *key))
    assert not engine.writing(lambda connection: contacts.remove_group(connection, *key))
    assert _stretch(engine, group) == ([], None)
    assert engine.reading(contacts.next_removed) == key

    def bit(connection: Connection) -> Awaitable[int]:
        return contacts.remove_leftovers(connection, *key, most=2)

    assert [engine.writing(bit) for _ in range(4)] == [2, 2, 1, 0]
    assert engine.reading(contacts.next_removed) is None
    assert len(_stretch(engine, other)[0]) == 5
    # A group that is there loses nothing.
    assert (
        engine.writing(
            lambda connection: contacts.remove_leftovers(connection, other.account_id, other.group_id, most=2)
        )
        == 0
    )


def test_a_contact_is_removed_from_its_own_group_only_and_counted(engine: FreshStore) -> None:
    group, other = _group(engine, "friends"), _group(engine, "others")
    made = _add(engine, group, [1, 2])
    for group_id, is_there in (
        (other.group_id, False),
        (NOWHERE, False),
        (group.group_id, True),
        (group.group_id, False),
    ):
        assert is_there is engine.writing(
            lambda connection, group_id=group_id: contacts.remove(  # type: ignore[misc]
                connection, group.account_id, group_id, contact_id=made[0].contact_id
            )
        )
    kept = engine.reading(lambda connection: contacts.groups(connection, group.account_id, most=10))
    assert [(each.name, each.contacts) for each in kept] == [("others", 0), ("friends", 1)]
    assert engine.reading(lambda connection: contacts.count_of_groups(connection, group.account_id)) == 2
    named = engine.reading(lambda connection: contacts.group_named(connection, group.account_id, "friends"))
    assert named == kept[1]


def test_numbers_are_looked_up_one_by_one_however_many_are_asked_for(sqlite: FreshSqlite) -> None:
    """With a list of values SQLite read the whole group, and an import took ten times as long."""
    asked: list[str] = []

    async def known(connection: Connection) -> None:
        sync = connection.sync_connection
        assert sync is not None
        listen(sync, "before_cursor_execute", lambda *said: asked.append(said[2]))
        for look in (contacts.known, contacts.those):
            await look(connection, sqlite.account_id, NOWHERE, msisdns=map(_number, range(1_000)))

    sqlite.reading(known)
    looked = [each for each in asked if "json_each" in each]
    assert len(looked) == 2
    for statement in looked:
        (*_, last) = sqlite.rows(f"explain query plan {statement}", "[]", 1, 1)
        assert "account_id=? AND group_id=? AND msisdn=?" in str(last[3])
