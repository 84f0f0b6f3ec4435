"""Sealing and opening one large file as a package, beside ``openssl speed`` in the same run; peak memory.

``python -m bench.sm_package [--mib N] [--threads N] [--rounds N]`` prints one JSON object a line. Sealing is
timed twice: with the digesting pass that the manifest needs first, and alone, as when the manifest was signed
earlier. Files are read from and written to the folder that TMPDIR names, without fsync; ratios are to
``openssl speed -elapsed -evp sm4-ctr`` (one core, no digest, no tag, no file), asked before and after every
round: both count wall time, so that other work on the machine slows both.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import BinaryIO

from crypto import package
from crypto.keys import DecryptionKey, SigningKey
from crypto.package import APPROVER, AUTHOR, FileEntry, Manifest, PinnedKeys, Source
from crypto.package_files import file_source

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MIB = 1 << 20
GOAL_RATIO = 0.65
GOAL_RSS_MIB = 64


class FileQuarantine:
    """One file that is written over, as a disk quarantine would write it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.released = False

    def create(self, entry: FileEntry) -> BinaryIO:  # noqa: ARG002  # the one file
        """The file, for any entry."""
        return self.path.open("wb", buffering=0)

    def release(self) -> None:
        """Remember that it was verified."""
        self.released = True

    def discard(self) -> None:
        """Nothing may be left."""
        self.path.unlink(missing_ok=True)


def say(name: str, value: float, unit: str, conditions: str, versus: tuple[str, float] | None = None) -> None:
    """One line of the common form."""
    other, other_value = versus or (None, None)
    line = {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "versus": other,
        "versus_value": round(other_value, 3) if other_value else None,
        "ratio": round(value / other_value, 3) if other_value else None,
        "conditions": conditions,
    }
    print(json.dumps(line), flush=True)


def openssl_speed() -> float:
    """MB/s of SM4-CTR by the openssl command; 0 where it cannot be asked."""
    if not shutil.which("openssl"):
        return 0
    command = ["openssl", "speed", "-elapsed", "-seconds", "2", "-bytes", str(MIB), "-evp", "sm4-ctr"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return float(words[-1].rstrip("k")) / 1000 if done.returncode == 0 and words else 0


def peak_bytes() -> int:
    """The most memory this process ever held."""
    text = Path("/proc/self/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


class Run:
    """A file of random bytes, its package, and the parties."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder = folder
        self.threads = threads
        self.author, self.approver = SigningKey.generate(), SigningKey.generate()
        self.receiver = DecryptionKey.generate()
        self.trust = PinnedKeys({AUTHOR: [self.author.public], APPROVER: [self.approver.public]})
        self.sources: list[Source] = []
        self.manifest: Manifest
        self.signatures: list[package.Signature] = []

    def prepare(self, size: int) -> None:
        """Write the file to send."""
        path = self.folder / "content"
        with path.open("wb") as file:
            for _ in range(max(1, size // MIB)):
                file.write(os.urandom(min(size, MIB)))
        self.sources = [file_source(path, "content")]

    def describe(self) -> None:
        """Digest the file, write the manifest and have it signed by two."""
        self.manifest = Manifest(
            package=os.urandom(16).hex(),
            kind="content",
            channel="bench",
            epoch=1,
            sequence=1,
            previous="",
            application="bench",
            purpose="bench",
            sender="a",
            receiver="b",
            label="一般",
            from_zone="a",
            to_zone="b",
            issued=NOW,
            expires=NOW + timedelta(days=1),
            roles=(AUTHOR, APPROVER),
            recipients=(self.receiver.public.key_id,),
            files=package.describe(self.sources),
        )
        keys = ((AUTHOR, self.author), (APPROVER, self.approver))
        self.signatures = [package.sign(self.manifest, role, key) for role, key in keys]

    def seal(self) -> None:
        """Seal what was described."""
        with (self.folder / "package").open("wb", buffering=0) as sink:
            package.seal(
                self.sources,
                sink,
                manifest=self.manifest,
                signatures=self.signatures,
                recipients=[self.receiver.public],
                threads=self.threads,
            )

    def open(self) -> None:
        """Verify and open the package."""
        quarantine = FileQuarantine(self.folder / "opened")
        with (self.folder / "package").open("rb", buffering=0) as source:
            package.open_(
                source,
                recipient=self.receiver,
                trust=self.trust,
                quarantine=quarantine,
                now=NOW,
                threads=self.threads,
            )
        assert quarantine.released


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def measure(run: Run, size: int, rounds: int) -> None:
    """Time every step and say the medians."""
    run.prepare(64 * 1024)
    for warm in (run.describe, run.seal, run.open):
        warm()
    base = peak_bytes()
    run.prepare(size)
    took: dict[str, list[float]] = {"describe": [], "seal": [], "open": []}
    reference = [openssl_speed()]
    for _ in range(rounds):
        took["describe"].append(seconds(run.describe))
        took["seal"].append(seconds(run.seal))
        took["open"].append(seconds(run.open))
        reference.append(openssl_speed())
    grown = (peak_bytes() - base) / MIB
    speed = median(reference)
    versus = ("openssl speed -elapsed -evp sm4-ctr", speed) if speed else None
    conditions = f"{size // MIB} MiB, {run.threads} cipher threads + 1 digest thread, {os.cpu_count()} cores"
    whole = [first + second for first, second in zip(took["describe"], took["seal"], strict=True)]
    for name, times in (("describe+seal", whole), ("seal", took["seal"]), ("open", took["open"])):
        say(f"package.{name}", size / 1e6 / median(times), "MB/s", conditions, versus)
    say("package.describe", size / 1e6 / median(took["describe"]), "MB/s", conditions)
    say("package.peak_rss_above_base", grown, "MiB", conditions, ("goal", GOAL_RSS_MIB))
    overhead = (run.folder / "package").stat().st_size - size
    say("package.overhead", overhead, "bytes", conditions, ("0.1 % + 8 KiB", size / 1000 + 8192))


def main() -> None:
    """Measure in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, min(4, os.cpu_count() or 1)])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for threads in arguments.threads:
        with tempfile.TemporaryDirectory() as folder:
            measure(Run(Path(folder), threads), arguments.mib * MIB, arguments.rounds)


if __name__ == "__main__":
    main()
