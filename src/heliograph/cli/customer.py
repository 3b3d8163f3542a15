"""Whose messages the sandbox carries: an account with everything it needs, and the carriers that are there for it."""

from typing import NamedTuple

from heliograph.carriers.kinds import KINDS
from heliograph.config import Settings
from heliograph.core.events import EventKind
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT
from heliograph.net.clock import SystemClock
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.routes import Routes
from heliograph.services.webhooks import Webhooks
from heliograph.store.opening import open_store

LOOPBACK_PREFIX = "1"
"""Texts to numbers that begin so take the loopback carrier; all others the SMPP message centre."""

OWN_NUMBER = f"{LOOPBACK_PREFIX}3109060901"
"""The account's number, without plus."""


class Ports(NamedTuple):
    """Where the sandbox's carriers listen."""

    smpp: int
    mm7: int
    sip: int


class Customer(NamedTuple):
    """Whose messages the tour sends. pictures_path: where its MMSC calls us."""

    name: str
    user: str
    api_key: str
    pictures_path: str


async def set_up(settings: Settings, *, ports: Ports, hook: str) -> Customer:
    """An account with credits, a number and a webhook of each dialect; carriers of each channel, and routes to them."""
    clock = SystemClock()
    store = await open_store(settings.database, settings.data)
    try:
        new = await Accounts(store, clock).add("demo", amount=1_000 * CREDIT)
        carriers, routes = Carriers(store, clock, kinds=KINDS), Routes(store, clock)
        await carriers.add("centre", CarrierOptions(url=f"smpp://demo:demo@127.0.0.1:{ports.smpp}", window=100))
        mmsc = await carriers.add("mmsc", CarrierOptions(url=f"mm7+http://demo:demo@127.0.0.1:{ports.mm7}/"))
        await carriers.add("phone", CarrierOptions(url=f"sip://demo@127.0.0.1:{ports.sip}", sessions=4))
        await carriers.add("loopback", CarrierOptions(url="loopback:"))
        for name, channel in (("centre", Channel.SMS), ("mmsc", Channel.MMS), ("phone", Channel.VOICE)):
            await routes.add(name, channel=channel)
        await routes.add("loopback", prefix=LOOPBACK_PREFIX)
        webhooks = Webhooks(store, clock)
        account_id = new.account.account_id
        await webhooks.add(account_id, dialect="touchbasepro", kind=EventKind.STATUS, url=f"{hook}/touchbasepro")
        receipts = {"receipts": True}
        await webhooks.put(account_id, dialect="bulkvs", name="Default", url=f"{hook}/bulkvs", settings=receipts)
        await Numbers(store, clock).add("demo", OWN_NUMBER, options=NumberOptions(webhook="Default"))
        return Customer(new.account.name, new.account.user, new.api_key, await carriers.callback(mmsc))
    finally:
        await store.close()
