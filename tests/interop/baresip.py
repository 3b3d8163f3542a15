"""baresip, a softphone of Debian, as the party that is called: it picks up at once and records what it hears."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from heliograph.rtp.wav import samples_from
from heliograph.testing.ports import free_ports
from tests.interop.peers import PATIENCE_S, Peer, installed

# What is heard is handed over a bridge to what is said, so that no sound card is needed; on the way it is written down.
CONFIG = """
sip_listen 127.0.0.1:{port}
sip_certificate {folder}/certificate.pem
net_interface 127.0.0.1
audio_player aubridge,one
audio_source aubridge,one
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp}-{last_rtp}
module_path {modules}
module g711.so
module sndfile.so
module aubridge.so
module_tmp account.so
module_app menu.so
snd_path {folder}
"""
MODULES = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules")


class Baresip(Peer):
    """A phone with one number. port: where it takes calls over UDP and TCP; TLS is at the next."""

    def __init__(self, folder: Path, number: str, *, codecs: str, transport: str) -> None:
        program, openssl = installed("baresip", "openssl")
        modules = next((each for each in MODULES if Path(each).is_dir()), None)
        if modules is None:
            pytest.skip("baresip's modules are not installed")
        # One more for calls over TLS, and a few for sound.
        self.port, _, rtp, *_, last_rtp = free_ports(24)
        certificate(folder, openssl)
        config = CONFIG.format(port=self.port, folder=folder, rtp=rtp, last_rtp=last_rtp, modules=modules)
        (folder / "config").write_text(config)
        # TLS is bound to the next port by baresip itself.
        at = self.port + (transport == "tls")
        account = f"<sip:{number}@127.0.0.1:{at};transport={transport}>;regint=0;answermode=auto;audio_codecs={codecs}"
        (folder / "accounts").write_text(account + "\n")
        super().__init__(program, "-f", str(folder), folder=folder)
        self._folder_of_sound = folder

    async def heard_sound(self) -> bytes:
        """The samples of the one call that it took, once it is over."""
        await self.until(lambda: any("terminated" in line or "session closed" in line for line in self.said))
        async with asyncio.timeout(PATIENCE_S):
            while True:
                files = list(self._folder_of_sound.glob("dump-*-dec.wav"))
                # How many there are is written down last, when the file is closed.
                if files and files[0].stat().st_size > 44 and (heard := samples_from(files[0].read_bytes())):
                    return heard
                await asyncio.sleep(0.05)


def certificate(folder: Path, openssl: str) -> None:
    """Key and certificate of 127.0.0.1, for a day."""
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "1",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    with (folder / "certificate.pem").open("wb") as both:
        for name in ("key.pem", "cert.pem"):
            with (folder / name).open("rb") as one:
                shutil.copyfileobj(one, both)
