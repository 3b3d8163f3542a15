"""SIP addresses: URIs and the name-addr form of From, To and Contact (RFC 3261 19.1 and 20.10)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SipUri:
    """scheme: sip or sips. user: unescaped, may be empty. port: None when not said. parameters: in order, values None if bare."""

    scheme: str = "sip"
    user: str = ""
    host: str
    port: int | None = None
    parameters: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameAddr:
    """display: the name shown, may be empty."""

    uri: SipUri
    display: str = ""
    parameters: tuple[tuple[str, str | None], ...] = ()
