"""Import: rows of a table become contacts of a group, in short transactions between which others get their turn.

A number that the group has already is left as it is, or given the values of the row. So an import that stopped half-way
is completed by running it again, and one that runs twice changes nothing.

Some thousand rows are gathered and kept in the order of their numbers: in any other, each touches another page of the
index, and all of them have to be written (measured: two thirds of the rate with a million contacts in the group).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from heliograph.core.contact_rows import BadTable, Columns, Rejected, columns_from, contact_from
from heliograph.core.contacts import MOST_FIELDS, Contact
from heliograph.net.clock import Clock
from heliograph.services.address_book import Found
from heliograph.services.changes import ChangeLog
from heliograph.services.refused import Refused
from heliograph.store import contacts
from heliograph.store.connection import Connection
from heliograph.store.engine import Store

GATHERED = 20_000
"""Contacts that are in memory."""
MOST_ROWS, FEWEST_ROWS = 1_000, 50
"""Contacts of one transaction: as many as keep it short, by the time that the last ones took."""
LONG_S, SHORT_S = 0.045, 0.030
PAUSE_S = 0.002
"""Between two transactions: a server's writer looks every millisecond whether it is its turn."""


@dataclass(slots=True)
class Tally:
    """What became of the rows. known: were there already, or came twice. why: how many were rejected for what."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    known: int = 0
    why: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """How many became no contact."""
        return self.why.total()


Gathered = dict[str, tuple[int, Contact]]
"""Contacts by number, each with the number of its row."""


class ContactImport:
    """One import into one group.

    is_updating: whether contacts that are there get the values of the table: of its columns, others stay.
    reject: told of each row that becomes no contact. step: called after each transaction.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        into: Found,
        is_updating: bool = False,
        reject: Callable[[Rejected], None] = lambda _: None,
        step: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._log = ChangeLog(clock, "operator")
        self._into = into
        self._is_updating = is_updating
        self._tell = reject
        self._step = step
        self._most = MOST_ROWS
        self._tally = Tally()

    async def take(self, rows: Iterator[Sequence[str]], chosen: Mapping[str, str]) -> Tally:
        """Take all rows, the first of which names the columns; raises Refused. chosen: see `columns_from`."""
        number, header = next(((place, row) for place, row in enumerate(rows, 1) if any(map(str.strip, row))), (0, ()))
        if not header:
            raise Refused("The table is empty.")
        try:
            columns = columns_from(header, chosen)
        except BadTable as error:
            raise Refused(str(error)) from None
        gathered: Gathered = {}
        for place, row in enumerate(rows, number + 1):
            if any(map(str.strip, row)):
                self._read(row, columns, number=place, gathered=gathered)
            if len(gathered) >= GATHERED:
                await self._keep_all(gathered, columns)
        await self._keep_all(gathered, columns)
        await self._note()
        return self._tally

    def _read(self, row: Sequence[str], columns: Columns, *, number: int, gathered: Gathered) -> None:
        tally, group = self._tally, self._into.group
        tally.rows += 1
        said = contact_from(row, columns, number=number, account_id=group.account_id, group_id=group.group_id)
        if isinstance(said, Rejected):
            self._reject(said)
        elif said.msisdn not in gathered:
            gathered[said.msisdn] = (number, said)
        else:
            tally.known += 1
            if self._is_updating:
                gathered[said.msisdn] = (number, said)

    def _reject(self, rejected: Rejected) -> None:
        self._tally.why[rejected.why] += 1
        self._tell(rejected)

    async def _keep_all(self, gathered: Gathered, columns: Columns) -> None:
        """Keep what has gathered, in short transactions."""
        numbers = sorted(gathered)
        while numbers:
            piece = {each: gathered[each] for each in numbers[: self._most]}
            del numbers[: self._most]
            await self._keep(piece, columns)
            self._step()
            await self._clock.sleep(PAUSE_S)
        gathered.clear()

    async def _keep(self, piece: Gathered, columns: Columns) -> None:
        """Keep some in one transaction; the next one is as large as the time that this one took allows."""
        async with self._store.writing() as connection:
            began = self._clock.monotonic()
            await self._put(connection, piece, columns)
        took = self._clock.monotonic() - began
        if took > LONG_S:
            self._most = max(FEWEST_ROWS, len(piece) * 3 // 4)
        elif took < SHORT_S:
            self._most = min(MOST_ROWS, self._most + FEWEST_ROWS)

    async def _put(self, connection: Connection, piece: Gathered, columns: Columns) -> None:
        group, now_ms = self._into.group, self._log.now_ms()
        key = group.account_id, group.group_id
        if await contacts.group(connection, *key, is_held=True) is None:
            raise Refused(f"Group {group.name!r} was removed while contacts were imported into it.")
        if self._is_updating:
            there = await contacts.those(connection, *key, msisdns=piece)
            changed = [each for name in there if (each := self._merged(there[name], piece[name], columns)) is not None]
            await contacts.change(connection, changed, now_ms=now_ms)
            self._tally.changed += len(changed)
            known: Mapping[str, object] = there
        else:
            known = await contacts.known(connection, *key, msisdns=piece)
            self._tally.known += len(known)
        made = [said for name, (_, said) in piece.items() if name not in known]
        if made:
            await contacts.add(connection, *key, made=made, now_ms=now_ms)
        self._tally.added += len(made)

    def _merged(self, there: Contact, row: tuple[int, Contact], columns: Columns) -> Contact | None:
        """A contact with what the table says of it; None when that is what it has, or too much."""
        number, said = row
        named = {name for _, name in columns.fields}
        fields = {name: value for name, value in there.fields.items() if name not in named} | dict(said.fields)
        if len(fields) > MOST_FIELDS:
            self._reject(Rejected(number, said.msisdn, f"There would be more than {MOST_FIELDS} fields."))
            return None
        merged = there._replace(
            first_name=said.first_name if columns.first_name >= 0 else there.first_name,
            last_name=said.last_name if columns.last_name >= 0 else there.last_name,
            fields=fields,
        )
        if merged == there:
            self._tally.known += 1
            return None
        return merged

    async def _note(self) -> None:
        tally, group = self._tally, self._into.group
        async with self._store.writing() as connection:
            await self._log.note(
                connection,
                "group.import",
                subject=str(group.group_id),
                account=self._into.account.name,
                name=group.name,
                added=tally.added,
                changed=tally.changed,
                rejected=tally.rejected,
            )
