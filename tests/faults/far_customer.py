"""A customer in a process of its own, who insists: each request is repeated, under its key, until it is accepted.

    python far_customer.py HOST PORT API_KEY

Each line of stdin is an order, `{"key": …, "to": […]}`; each line of stdout one that was accepted, with what it was
answered and how many tries that took. It ends when stdin has ended and everything is accepted.
"""

import asyncio
import json
import sys
from typing import Any

from heliograph.testing.served import Reply, Requests

TEXT = "Your code is 4711"
PATIENCE_S = 2.0
PAUSE_S = 0.1


async def tried(host: str, port: int, api_key: str, order: dict[str, Any]) -> Reply | None:
    """One request in a connection of its own; None when it was not answered."""
    try:
        async with asyncio.timeout(PATIENCE_S), Requests(port, api_key, host=host) as requests:
            return await requests.send(order["to"], TEXT, key=order["key"])
    except (OSError, EOFError):
        return None


async def insist(host: str, port: int, api_key: str, order: dict[str, Any]) -> None:
    """One order, until it is accepted."""
    tries = 1
    while (reply := await tried(host, port, api_key, order)) is None or reply.status != 202:
        tries += 1
        await asyncio.sleep(PAUSE_S)
    sys.stdout.write(json.dumps({"key": order["key"], "tries": tries, "answer": reply.json()}) + "\n")
    sys.stdout.flush()


async def main(host: str, port: str, api_key: str) -> None:
    """Take orders until there are no more."""
    async with asyncio.TaskGroup() as group:
        while line := await asyncio.to_thread(sys.stdin.readline):
            group.create_task(insist(host, int(port), api_key, json.loads(line)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
