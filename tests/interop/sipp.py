"""SIPp, the test tool of Debian, as the party that is called: scenarios are put together here from steps."""

import re
import socket
from pathlib import Path
from typing import Self

from heliograph.testing.ports import free_ports
from tests.interop.peers import Peer, installed

_HEADERS = (
    "[last_Via:]",
    "[last_From:]",
    "[last_To:];tag=callee[call_number]",
    "[last_Call-ID:]",
    "[last_CSeq:]",
    "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>",
)
_SDP = (
    "Content-Type: application/sdp",
    "Content-Length: [len]",
    "",
    "v=0",
    "o=callee 1 1 IN IP4 [local_ip]",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    "m=audio [rtp] RTP/AVP {payload_types}",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
)


def receive(method: str, *, actions: str = "", attributes: str = "") -> str:
    """Wait for a request."""
    inner = f"<action>{actions}</action>" if actions else ""
    return f'<recv request="{method}" {attributes}>{inner}</recv>'


def answer(status: str, *, headers: str = "", payload_types: str = "") -> str:
    """Answer the last request. payload_types: with a description of media that names these."""
    final = ' retrans="500"' if status[0] != "1" and payload_types else ""
    body = "\n".join(_SDP).format(payload_types=payload_types) if payload_types else "Content-Length: 0\n"
    text = "\n".join((f"SIP/2.0 {status}", *_HEADERS, *headers.splitlines(), body))
    return f"<send{final}><![CDATA[\n{text}\n]]></send>"


def label(name: str) -> str:
    """A step that others go to."""
    return f'<label id="{name}"/>'


def pause(milliseconds: int) -> str:
    """Wait."""
    return f'<pause milliseconds="{milliseconds}"/>'


REMEMBER = (
    '<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="caller"/>'
    '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>'
    '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>'
)
"""Actions on an INVITE, so that the callee can hang up."""

HANG_UP = """<send retrans="500"><![CDATA[
BYE [$caller] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$to];tag=callee[call_number]
To:[$from]
Call-ID: [call_id]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0
]]></send>
<recv response="200"/>"""


class Sipp(Peer):
    """SIPp with a scenario, for one call. port: where it takes calls."""

    def __init__(self, folder: Path, *steps: str, transport: str = "u1", rtp: int = 9, calls: int = 1) -> None:
        (program,) = installed("sipp")
        (self.port,) = free_ports(1)
        scenario = folder / f"scenario-{self.port}.xml"
        body = "\n".join(steps)
        named = re.findall(r'assign_to="(\w+)"', body)
        reference = f'<Reference variables="{",".join(dict.fromkeys(named))}"/>' if named else ""
        scenario.write_text(
            f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="callee">\n{body}\n{reference}</scenario>\n'
        )
        super().__init__(
            program, "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(self.port), "-t", transport, "-m", str(calls),
            "-nostdin", "-key", "rtp", str(rtp), "-timeout", "20s", "-timeout_error",
            "-trace_logs", "-log_file", str(folder / "sipp.log"),
            "-trace_err", "-error_file", str(folder / "errors.log"),
            folder=folder,
        )  # fmt: skip
        self._errors, self._log = folder / "errors.log", folder / "sipp.log"
        self._kind = socket.SOCK_DGRAM if transport[0] == "u" else socket.SOCK_STREAM

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.until(self._listens)
        return self

    def _listens(self) -> bool:
        with socket.socket(socket.AF_INET, self._kind) as there:
            try:
                there.bind(("127.0.0.1", self.port))
            except OSError:
                return True
        return False

    def logged(self) -> str:
        """What the scenario had it write down."""
        return self._log.read_text()

    async def succeeded(self) -> bool:
        """Wait until its calls are over: whether all went by the scenario."""
        status = await self.ended()
        if status:
            errors = self._errors.read_text(errors="replace") if self._errors.exists() else ""
            raise AssertionError("\n".join(["SIPp was not content:", errors, *self.said[-30:]]))
        return True
