"""What drivers that ask for news must not forget: how far they have read, and what they still ask about."""

from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import CarrierId
from heliograph.core.settling import OutcomeKind
from heliograph.store.schema import attempt, bookmark, receipt_map


async def find(connection: AsyncConnection, carrier_id: CarrierId) -> str:
    """How far a carrier was read; "" when nobody has said."""
    found: str | None = await connection.scalar(select(bookmark.c.value).where(bookmark.c.carrier_id == carrier_id))
    return found or ""


async def keep(connection: AsyncConnection, carrier_id: CarrierId, *, value: str) -> None:
    """Keep how far a carrier was read."""
    changed = await connection.execute(update(bookmark).where(bookmark.c.carrier_id == carrier_id).values(value=value))
    if not changed.rowcount:
        await connection.execute(insert(bookmark).values(carrier_id=carrier_id, value=value))


async def unreported(connection: AsyncConnection, carrier_id: CarrierId, *, most: int) -> list[str]:
    """A carrier's ids of what it took and no receipt has settled, as it wrote them, the oldest first."""
    is_its_attempt = and_(
        attempt.c.account_id == receipt_map.c.account_id,
        attempt.c.message_id == receipt_map.c.message_id,
        attempt.c.segment == receipt_map.c.segment,
        attempt.c.outcome == int(OutcomeKind.SUBMITTED),
        attempt.c.carrier_id == receipt_map.c.carrier_id,
    )
    wanted = (
        select(attempt.c.carrier_message_id)
        .select_from(receipt_map.join(attempt, is_its_attempt))
        .where(receipt_map.c.carrier_id == carrier_id, receipt_map.c.is_settled.is_(False))
        .order_by(receipt_map.c.message_id.desc())
        .limit(most)
    )
    found = [written for written in await connection.scalars(wanted) if written]
    return found[::-1]
