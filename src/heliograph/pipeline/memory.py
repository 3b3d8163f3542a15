"""What a driver that asks its carrier for news finds again after a restart."""

from heliograph.core.ids import CarrierId
from heliograph.store import bookmarks
from heliograph.store.engine import Store


class Memory:
    """Implements `ports.CarrierMemory` for one carrier."""

    def __init__(self, store: Store, carrier_id: CarrierId) -> None:
        self._store = store
        self._carrier_id = carrier_id

    async def unreported(self, most: int) -> list[str]:
        """As the port asks; of more than `most`, the newest."""
        async with self._store.reading() as connection:
            return await bookmarks.unreported(connection, self._carrier_id, most=most)

    async def bookmark(self) -> str:
        """As the port asks."""
        async with self._store.reading() as connection:
            return await bookmarks.find(connection, self._carrier_id)

    async def set_bookmark(self, written: str) -> None:
        """As the port asks."""
        async with self._store.writing() as connection:
            await bookmarks.keep(connection, self._carrier_id, value=written)
