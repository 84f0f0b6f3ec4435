"""A transfer between two centers on loopback over SM TLS: speed, peak memory, ten interruptions.

``python -m bench.transfer_online [--mib N] [--cuts N]`` prints one JSON object a line. The receiver is a
process of its own with certificates, chunk verification, staging with fsync, and the import (opening into
the quarantine with every digest) in the time; the disk is that of TMPDIR. Sealing is not timed.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import secrets
import socket
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from crypto import package
from crypto.keys import DecryptionKey, SigningKey
from crypto.package import APPROVER, AUTHOR, Header, Manifest, PinnedKeys, Source
from crypto.package_envelope import CHUNK_BYTES
from crypto.package_files import FolderQuarantine, file_source
from crypto.transfer.receipt import Receipt, open_receipt, sign_receipt
from soc_api.transfer_online import TransferListener
from soc_api.transfer_peers import client_link, issue_peer, server_link
from soc_api.transfer_push import Patience, Target, push
from soc_api.transfer_staging import Staging

LOOPBACK: Final = "127.0.0.1"
MIB: Final = 1 << 20
NOW: Final = datetime.now(UTC).replace(microsecond=0)


class Keys:
    """The persons' and centers' keys of one run."""

    def __init__(self) -> None:
        self.author, self.approver, self.station = (SigningKey.generate() for _ in range(3))
        self.wrap = DecryptionKey.generate()
        self.trust = PinnedKeys({AUTHOR: [self.author.public], APPROVER: [self.approver.public]})


class BenchIntake:
    """The import without tables: the package is opened into a folder, its receipt signed."""

    def __init__(self, keys: Keys, folder: Path) -> None:
        self._keys = keys
        self._folder = folder

    def receipt(self, package_sm3: str) -> bytes | None:  # noqa: ARG002  # nothing is pushed twice
        """None was imported."""
        return None

    def header(self, data: bytes, peer: str, now: datetime) -> Header:  # noqa: ARG002
        """The verified header."""
        from io import BytesIO

        return package.read_header(BytesIO(data), recipient=self._keys.wrap, trust=self._keys.trust)

    def take(self, path: Path, header: Header, now: datetime) -> bytes:
        """Open it, sign the receipt."""
        quarantine = FolderQuarantine(self._folder / secrets.token_hex(4))
        with path.open("rb", buffering=0) as file:
            package.open_(
                file, recipient=self._keys.wrap, trust=self._keys.trust, quarantine=quarantine, now=now
            )
        receipt = Receipt(
            package=header.manifest.package,
            package_sm3=header.header_sm3,
            manifest_sm3=header.manifest_sm3,
            channel="bench",
            epoch=1,
            sequence=1,
            receiver="b",
            verdict="accepted",
            time=NOW,
        )
        return sign_receipt(receipt, self._keys.station)


class Proxy:
    """Loopback between the two that hangs up after so many bytes, a given number of times."""

    def __init__(self, port: int, cuts: int, every: int) -> None:
        self.forwarded = 0
        self.cuts = cuts
        self._target, self._every = port, every

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        there, onward = await asyncio.open_connection(LOOPBACK, self._target)
        back = asyncio.create_task(self._back(there, writer))
        self.cuts -= 1
        left = sys.maxsize if self.cuts < 0 else self._every + secrets.randbelow(CHUNK_BYTES)
        while left and (data := await reader.read(min(left, 1 << 18))):
            left -= len(data)
            self.forwarded += len(data)
            onward.write(data)
            await onward.drain()
        onward.close()
        back.cancel()
        writer.close()

    async def _back(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await there.read(1 << 16):
            writer.write(data)


def peak_mib() -> float:
    """The most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(name: str, value: float, unit: str, conditions: str) -> None:
    """One line of the common form."""
    line = {"name": name, "value": round(value, 3), "unit": unit, "conditions": conditions}
    print(json.dumps(line), flush=True)


def receive(keys: Keys, folder: Path, end: Any) -> None:
    """The receiver's process: tells its port, waits, tells by how much its memory grew."""
    base = peak_mib()

    async def run() -> None:
        (folder / "in").mkdir()
        intake = BenchIntake(keys, folder / "in")
        link = server_link(folder / "b")
        staging = Staging(folder / "online")
        async with TransferListener(intake, staging, link, host=LOOPBACK, port=0) as listener:
            end.send(listener.port)
            await asyncio.to_thread(end.recv)

    asyncio.run(run())
    end.send(peak_mib() - base)


def send(path: str, port: int, folder: str, end: Any) -> None:
    """The sender's process."""
    base = peak_mib()
    patience = Patience(first_seconds=0.02, longest_seconds=0.2, attempts_max=60)
    link = client_link(Path(folder) / "a")
    begun = perf_counter()
    pushed = push(Path(path), Target(LOOPBACK, port, "b"), link, patience=patience)
    end.send((perf_counter() - begun, pushed.receipt, pushed.attempts, peak_mib() - base))


def seal(keys: Keys, folder: Path, mib: int) -> Path:
    """A package of one file, sparse apart from random blocks."""
    content = folder / "content.bin"
    with content.open("wb") as file:
        file.truncate(mib * MIB)
        for place in range(0, mib, 8):
            file.seek(place * MIB)
            file.write(os.urandom(1 << 16))
    sources: list[Source] = [file_source(content, "content.bin")]
    manifest = Manifest(
        package=secrets.token_hex(16),
        kind="transfer",
        channel="bench",
        epoch=1,
        sequence=1,
        previous="",
        application="1",
        purpose="bench",
        sender="a",
        receiver="b",
        label="一般",
        from_zone="a",
        to_zone="b",
        issued=NOW,
        expires=NOW + timedelta(days=1),
        roles=(AUTHOR, APPROVER),
        recipients=(keys.wrap.public.key_id,),
        files=package.describe(sources),
    )
    signatures = [
        package.sign(manifest, AUTHOR, keys.author),
        package.sign(manifest, APPROVER, keys.approver),
    ]
    path = folder / "package.liuhe"
    with path.open("wb") as sink:
        package.seal(sources, sink, manifest=manifest, signatures=signatures, recipients=[keys.wrap.public])
    content.unlink()
    return path


def run_once(keys: Keys, folder: Path, path: Path, mib: int, cuts: int) -> None:
    """One transfer through a proxy that hangs up ``cuts`` times."""
    spawn = multiprocessing.get_context("fork")
    (mine, theirs), (ours, sender_end) = spawn.Pipe(), spawn.Pipe()
    receiver = spawn.Process(target=receive, args=(keys, folder, theirs))
    receiver.start()
    port = mine.recv()
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        through = free.getsockname()[1]
    proxy = Proxy(port, cuts, mib * MIB // max(1, cuts + 1))

    async def relay() -> Any:
        server = await asyncio.start_server(proxy.carry, LOOPBACK, through if cuts else 0)
        sender = spawn.Process(
            target=send, args=(str(path), through if cuts else port, str(folder), sender_end)
        )
        sender.start()
        done = await asyncio.to_thread(ours.recv)
        sender.join()
        server.close()
        return done

    seconds, receipt, attempts, sender_mib = asyncio.run(relay())
    assert open_receipt(receipt, {keys.station.public.key_id: keys.station.public}).verdict == "accepted"
    mine.send("stop")
    receiver_mib = mine.recv()
    receiver.join()
    given = f"{mib} MiB, {cuts} interruptions, {attempts} connections, import included"
    say("transfer.online", mib * MIB / seconds / 1e6, "MB/s", given)
    say("transfer.online.sender-rss", sender_mib, "MiB above base", given)
    say("transfer.online.receiver-rss", receiver_mib, "MiB above base", given)
    if cuts:
        again = proxy.forwarded - path.stat().st_size
        say("transfer.online.sent-again", again / cuts / CHUNK_BYTES, "chunks per interruption", given)


def main() -> None:
    """Without interruptions, then with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--cuts", type=int, default=10)
    chosen = parser.parse_args()
    keys = Keys()
    with tempfile.TemporaryDirectory() as temporary:
        sealed = seal(keys, Path(temporary), chosen.mib)
        for cuts in (0, chosen.cuts):
            folder = Path(temporary) / str(cuts)
            for name in ("a", "b"):
                issue_peer(folder / "authority", name, folder / name, NOW)
            run_once(keys, folder, sealed, chosen.mib, cuts)


if __name__ == "__main__":
    main()
