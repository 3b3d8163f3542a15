from collections import Counter
from itertools import cycle

import pytest

from heliograph.services.accounts import Accounts
from heliograph.services.keys import Keys, secret_from
from heliograph.services.refused import Refused
from heliograph.store import keys
from heliograph.store.engine import Store
from tests.unit.services.conftest import StillClock, Tell


def test_every_letter_of_a_secret_is_equally_likely() -> None:
    octets = cycle(range(256))
    drawn = "".join(secret_from(lambda count: bytes(next(octets) for _ in range(count))) for _ in range(62))
    counts = Counter(drawn)
    assert len(counts) == 62
    assert max(counts.values()) - min(counts.values()) <= 2 * len(drawn) // 100


def test_keys_are_added_listed_and_revoked(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        crane = (await Accounts(store, clock).add("Crane")).account
        await Accounts(store, clock).add("Stork")
        service = Keys(store, clock)
        api_key = await service.add("Crane")
        number, _, secret = api_key.partition("|")
        digest = keys.digest_of(secret)
        async with store.reading() as connection:
            assert await keys.account_id_for(connection, int(number), digest) == crane.account_id
        await service.revoke(int(number))
        async with store.reading() as connection:
            assert await keys.account_id_for(connection, int(number), digest) is None
        assert [(row.key_id, row.revoked_at_ms) for row in await service.list("Crane")] == [(1, None), (3, clock.at_ms)]
        assert len(await service.list()) == 3
        with pytest.raises(Refused, match="no valid key 3"):
            await service.revoke(3)

    tell(story)
