"""Evidence ledger and SM2: durable appends, proofs, reopening, whole verification, kits.

``python -m bench.evidence_ledger [--leaves N]`` prints one JSON object a line. Its folder is temporary, in
what TMPDIR names. Where the openssl command is found, SM2 is set against ``openssl speed``.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from compliance.evidence_export import Exported, export_kit, verifier_source
from compliance.ledger import Ledger, NewEvidence
from crypto import merkle
from crypto.keys import SigningKey

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BATCH = 10_000
SMALL = 1_000
PAYLOAD_BYTES = 200
KIT_ITEMS = 10_000


def entry(number: int, payload: bytes) -> NewEvidence:
    """A check's result, about 330 bytes as a leaf."""
    return NewEvidence(
        kind="report" if number < KIT_ITEMS else "evaluation",
        actor="system:checks",
        subject=f"check:PLT-01/system:{number}",
        summary=f"符合 {number}",
        payload=payload,
    )


def say(name: str, value: float, unit: str, conditions: str, versus: tuple[str, float] | None = None) -> None:
    """One line of the common form."""
    other, other_value = versus or (None, None)
    ratio = round(value / other_value, 3) if other_value else None
    line = {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "versus": other,
        "versus_value": other_value,
    }
    print(json.dumps({**line, "ratio": ratio, "conditions": conditions}), flush=True)


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def plain_file(ledger: Ledger, leaves: int) -> float:
    """Leaves a second where nothing is hashed or framed: the bytes a ledger writes, synced as often."""
    written = sum(path.stat().st_size for path in ledger.folder.iterdir() if path.suffix != ".json")
    chunk, batches = bytes(written * BATCH // leaves), min(50, max(1, leaves // BATCH))

    def write() -> None:
        file = os.open(ledger.folder.with_name("plain"), os.O_WRONLY | os.O_CREAT, 0o600)
        for number in range(batches):
            os.pwrite(file, chunk, number * len(chunk))
            os.fdatasync(file)
            os.fdatasync(file)
        os.close(file)

    return batches * BATCH / seconds(write)


def appends(ledger: Ledger, leaves: int) -> None:
    """Durable appends: each leaf with its own payload, checkpoints as a center signs them; then smaller."""
    own = leaves - 20 * SMALL
    checkpoints: list[float] = []

    def filled() -> None:
        for number, first in enumerate(range(0, own, BATCH)):
            last = min(first + BATCH, own)
            batch = [entry(step, b"%d" % step + bytes(PAYLOAD_BYTES)) for step in range(first, last)]
            ledger.append(batch, NOW)
            if number % 10 == 0:
                checkpoints.append(seconds(lambda: ledger.checkpoint(NOW)))

    rate = own / seconds(filled)
    say(
        "ledger.append",
        rate,
        "leaves/s",
        f"{own} leaves, batches of {BATCH}, each its own payload of {PAYLOAD_BYTES} B, fdatasync a batch",
        ("plain file, the same bytes and syncs", plain_file(ledger, own)),
    )
    say(
        "ledger.checkpoint",
        1000 * max(checkpoints),
        "ms",
        f"slowest of {len(checkpoints)}, two fsyncs and more",
    )

    def thousands() -> None:
        for first in range(own, own + 20 * SMALL, SMALL):
            ledger.append(
                [entry(step, b"%d" % step + bytes(600)) for step in range(first, first + SMALL)], NOW
            )

    say("ledger.append.thousand", 20 * SMALL / seconds(thousands), "leaves/s", f"batches of {SMALL}, 600 B")
    single = seconds(lambda: [ledger.append([entry(KIT_ITEMS, b"{}")], NOW) for _ in range(200)])
    say("ledger.append.single", 200 / single, "leaves/s", "one by one, one thread")

    def crowd() -> None:
        with ThreadPoolExecutor(32) as pool:
            list(
                pool.map(lambda number: ledger.append([entry(KIT_ITEMS + number, b"{}")], NOW), range(6_400))
            )

    say("ledger.append.threads", 6_400 / seconds(crowd), "leaves/s", "one by one, 32 threads share syncs")
    ledger.checkpoint(NOW)


def proofs(ledger: Ledger) -> None:
    """Proofs and their verification at the size reached."""
    size, root = ledger.size, ledger.root()
    places = range(1, size, max(1, size // 1000))
    made = [ledger.inclusion(place, size) for place in places]
    leaves = [ledger.hashes.node(0, place) for place in places]

    def verified() -> None:
        for place, proof, leaf in zip(places, made, leaves, strict=True):
            merkle.verify_inclusion(leaf, place, size, proof, root)

    each = 1000 / len(places)
    say(
        "ledger.inclusion",
        each * seconds(lambda: [ledger.inclusion(place, size) for place in places]),
        "ms",
        f"{size} leaves",
    )
    say("ledger.inclusion.verify", each * seconds(verified), "ms", f"{size} leaves")
    say(
        "ledger.consistency",
        each * seconds(lambda: [ledger.consistency(place, size) for place in places]),
        "ms",
        f"{size} leaves",
    )


def openssl_speed() -> dict[str, float]:
    """Signatures and verifications a second by ``openssl speed``; empty where it cannot be asked."""
    if not shutil.which("openssl"):
        return {}
    done = subprocess.run(
        ["openssl", "speed", "-seconds", "1", "sm2"], capture_output=True, text=True, check=False
    )
    rates = done.stdout.split()[-2:]
    return {"sign": float(rates[0]), "verify": float(rates[1])} if done.returncode == 0 and rates else {}


def signatures(key: SigningKey) -> None:
    """SM2 through our key objects, one thread, 200-byte text."""
    text, limit = bytes(200), openssl_speed()
    value = key.sign(text)
    for name, work in (("sign", lambda: key.sign(text)), ("verify", lambda: key.public.verify(text, value))):
        rate = 2000 / seconds(lambda work=work: [work() for _ in range(2000)])  # type: ignore[misc]
        versus = ("openssl speed sm2", limit[name]) if name in limit else None
        say(f"sm2.{name}", rate, "1/s", "one thread", versus)


def kit(ledger: Ledger, folder: Path) -> None:
    """A kit of KIT_ITEMS records, verified by its own verifier in its own process."""
    made: list[Exported] = []
    took = seconds(lambda: made.append(export_kit(ledger, folder / "kit.zip", kinds={"report"})))
    say("ledger.kit.export", took, "s", f"{made[0].items} records of {ledger.size}")
    verifier = folder / "verify.py"
    verifier.write_bytes(verifier_source())
    command = [sys.executable, "-I", str(verifier), str(made[0].kit)]
    took = seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    say("ledger.kit.verify", took, "s", f"{made[0].items} records, its own process")


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leaves", type=int, default=100_000)
    parser.add_argument("--no-verify", action="store_true", help="leave out recomputing everything")
    chosen = parser.parse_args()
    leaves = chosen.leaves
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        key = SigningKey.create(folder / "key.pem")
        signatures(key)
        ledger = Ledger.open(folder / "e", center="bench", origin="bench.example/sm3", key=key)
        appends(ledger, leaves)
        proofs(ledger)
        kit(ledger, folder)
        ledger.close()
        began = perf_counter()
        with Ledger.open(folder / "e", center="bench", origin="bench.example/sm3", key=key) as again:
            again.root()
            say("ledger.reopen", 1000 * (perf_counter() - began), "ms", f"{again.size} leaves")
            if chosen.no_verify:
                return
            outcome = again.verify()
            assert outcome.ok
            say(
                "ledger.verify",
                outcome.size / outcome.seconds,
                "leaves/s",
                f"{outcome.size} leaves, everything",
            )


if __name__ == "__main__":
    main()
