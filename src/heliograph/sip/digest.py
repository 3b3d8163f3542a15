"""Digest authentication (RFC 7616, algorithms by RFC 8760), for both ends.

Rules: of several challenges the first that we can meet is met: the server lists them best first. A nonce is counted
up with each use. Random octets are the caller's.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from heliograph.sip.headers import Headers, every, first, quote, unquote
from heliograph.sip.messages import Request, Response

ALGORITHMS: Final = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
"""The standard's names, and hashlib's."""

# Where a challenge stands, and where it is answered.
_ANSWERED_IN: Final = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
_MOST_TRIES: Final = 4
_PAIR: Final = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)', re.DOTALL)


class Credentials(NamedTuple):
    """What a carrier gave us to prove ourselves with."""

    user: str
    password: str


class Challenge(NamedTuple):
    """What a server wants proved. algorithm: one of ALGORITHMS. qop: empty from servers older than RFC 2617."""

    realm: str
    nonce: str
    opaque: str | None = None
    algorithm: str = "MD5"
    is_session: bool = False
    qop: str = ""
    is_stale: bool = False


def read_pairs(text: str) -> tuple[str, dict[str, str]]:
    """A scheme and its fields, names in small letters.

    >>> read_pairs('Digest realm="a, b", nonce="1", algorithm=MD5')
    ('digest', {'realm': 'a, b', 'nonce': '1', 'algorithm': 'MD5'})
    """
    scheme, _, rest = text.strip().partition(" ")
    return scheme.lower(), {name.lower(): unquote(value) for name, value in _PAIR.findall(rest)}


def read_challenge(text: str) -> Challenge | None:
    """A challenge that we can meet; None for another scheme, algorithm or quality."""
    scheme, fields = read_pairs(text)
    name, dash, session = fields.get("algorithm", "MD5").upper().rpartition("-SESS")
    algorithm = name if dash else session
    offered = [each.strip().lower() for each in fields.get("qop", "").split(",") if each.strip()]
    qop = next((each for each in ("auth", "auth-int") if each in offered), "")
    is_known = algorithm in ALGORITHMS and ALGORITHMS[algorithm] in hashlib.algorithms_available
    if scheme != "digest" or "nonce" not in fields or not is_known or (offered and not qop):
        return None
    return Challenge(
        realm=fields.get("realm", ""),
        nonce=fields["nonce"],
        opaque=fields.get("opaque"),
        algorithm=algorithm,
        is_session=bool(dash),
        qop=qop,
        is_stale=fields.get("stale", "").lower() == "true",
    )


def write_challenge(challenge: Challenge) -> str:
    """The value of WWW-Authenticate or Proxy-Authenticate."""
    algorithm = challenge.algorithm + ("-sess" if challenge.is_session else "")
    fields = [f"realm={quote(challenge.realm)}", f"nonce={quote(challenge.nonce)}", f"algorithm={algorithm}"]
    if challenge.opaque is not None:
        fields.append(f"opaque={quote(challenge.opaque)}")
    if challenge.qop:
        fields.append(f"qop={quote(challenge.qop)}")
    if challenge.is_stale:
        fields.append("stale=true")
    return f"Digest {', '.join(fields)}"


class Use(NamedTuple):
    """One use of a nonce: for which request, for the how manyth time, with which octets of the caller's choice."""

    method: str
    uri: str
    body: bytes
    times: int
    cnonce: str


def response_of(challenge: Challenge, credentials: Credentials, use: Use) -> str:
    """The proof itself (RFC 7616 3.4.1 to 3.4.3)."""

    def digest(*fields: str) -> str:
        octets = ":".join(fields).encode("utf-8", "surrogateescape")
        return hashlib.new(ALGORITHMS[challenge.algorithm], octets, usedforsecurity=False).hexdigest()

    secret = digest(credentials.user, challenge.realm, credentials.password)
    if challenge.is_session:
        secret = digest(secret, challenge.nonce, use.cnonce)
    asked = [use.method, use.uri]
    if challenge.qop == "auth-int":
        asked.append(hashlib.new(ALGORITHMS[challenge.algorithm], use.body, usedforsecurity=False).hexdigest())
    if not challenge.qop:
        return digest(secret, challenge.nonce, digest(*asked))
    return digest(secret, challenge.nonce, f"{use.times:08x}", use.cnonce, challenge.qop, digest(*asked))


def write_answer(challenge: Challenge, credentials: Credentials, use: Use) -> str:
    """The value of Authorization or Proxy-Authorization."""
    fields = [
        f"username={quote(credentials.user)}",
        f"realm={quote(challenge.realm)}",
        f"nonce={quote(challenge.nonce)}",
        f"uri={quote(use.uri)}",
        f"response={quote(response_of(challenge, credentials, use))}",
        f"algorithm={challenge.algorithm}{'-sess' if challenge.is_session else ''}",
    ]
    if challenge.opaque is not None:
        fields.append(f"opaque={quote(challenge.opaque)}")
    if challenge.qop or challenge.is_session:
        fields.append(f"cnonce={quote(use.cnonce)}")
    if challenge.qop:
        fields += [f"qop={challenge.qop}", f"nc={use.times:08x}"]
    return f"Digest {', '.join(fields)}"


def is_proved(request: Request, challenge: Challenge, credentials: Credentials, *, name: str = "Authorization") -> bool:
    """Whether a request proves the credentials against our challenge, in the header of this name."""
    scheme, fields = read_pairs(first(request.headers, name) or "")
    count, uri = fields.get("nc", "0"), fields.get("uri", "")
    if scheme != "digest" or fields.get("nonce") != challenge.nonce or fields.get("username") != credentials.user:
        return False
    if not re.fullmatch(r"[0-9a-fA-F]{1,8}", count):
        return False
    use = Use(request.method, uri, request.body, int(count, 16), fields.get("cnonce", ""))
    return fields.get("response", "").lower() == response_of(challenge, credentials, use)


class _Met:
    """A challenge that we met, and how often its nonce was used."""

    def __init__(self, challenge: Challenge) -> None:
        self.challenge = challenge
        self.count = 0


class Proofs:
    """What one call has to prove, to the other end (401) and to proxies on the way (407).

    cnonce: makes octets that nobody can guess, as text.
    """

    def __init__(self, credentials: Credentials | None, cnonce: Callable[[], str]) -> None:
        self._credentials = credentials
        self._cnonce = cnonce
        self._met: dict[tuple[str, str], _Met] = {}
        self._answered: set[tuple[str, str]] = set()
        self._tries = 0

    def fresh(self) -> None:
        """A new request begins: it may be challenged, although an earlier one was."""
        self._answered.clear()
        self._tries = 0

    def challenged(self, response: Response) -> bool:
        """Take the challenges of a 401 or 407 in. False: the request cannot be proved, or was not believed."""
        if self._credentials is None or response.status not in _ANSWERED_IN or self._tries >= _MOST_TRIES:
            return False
        asked_in, answered_in = _ANSWERED_IN[response.status]
        usable = [each for text in _challenges(response.headers, asked_in) if (each := read_challenge(text))]
        realms: set[str] = set()
        for challenge in usable:
            key = answered_in, challenge.realm
            if challenge.realm in realms or (key in self._answered and not challenge.is_stale):
                continue
            realms.add(challenge.realm)
            self._answered.add(key)
            self._met[key] = _Met(challenge)
        self._tries += 1
        return bool(realms)

    def headers(self, method: str, uri: str, body: bytes = b"") -> Headers:
        """The proofs that a request carries: one for each realm that asked so far."""
        if self._credentials is None:
            return ()
        made: list[tuple[str, str]] = []
        for (name, _), met in self._met.items():
            met.count += 1
            use = Use(method, uri, body, met.count, self._cnonce())
            made.append((name, write_answer(met.challenge, self._credentials, use)))
        return tuple(made)


_SCHEME: Final = re.compile(r"\w+\s+[\w-]+\s*=", re.ASCII)


def _challenges(headers: Headers, name: str) -> list[str]:
    """Challenges, also when several stand in one header: a comma separates fields and challenges alike."""
    made: list[str] = []
    for piece in every(headers, name):
        if _SCHEME.match(piece) or not made:
            made.append(piece)
        else:
            made[-1] += f", {piece}"
    return made
