"""Whose messages may be held in memory, and whose wait in the store.

What waits there is taken as far as most of the memory is not full. The rest is kept for fresh messages of accounts that
have little in it: they leave in their turn, while another account's million waits.
"""

SPARE = 8
"""One of so many shares of the memory is kept."""

LITTLE = 100
"""One of so many shares of the memory is little."""


def for_waiting(most: int) -> int:
    """How many messages there may be in memory if another is to be taken from the store.

    >>> for_waiting(50_000), for_waiting(1)
    (43750, 1)
    """
    return most - most // SPARE


def has_room(messages: int, *, in_memory: int, of_account: int, most: int) -> bool:
    """Whether an account's fresh messages are held in memory at once.

    in_memory, of_account: what is there already, altogether and of the account.

    >>> has_room(1, in_memory=43_749, of_account=43_749, most=50_000)
    True
    >>> has_room(1, in_memory=43_750, of_account=43_750, most=50_000)
    False
    >>> has_room(10, in_memory=43_750, of_account=490, most=50_000)
    True
    """
    after = in_memory + messages
    return after <= for_waiting(most) or (after <= most and of_account + messages <= most // LITTLE)
