"""SM2, SM3 and SM4 through our API beside ``openssl speed`` and the package gmssl, in one run.

``python -m bench.sm_algorithms [--rounds N] [--seconds N]`` prints one JSON object a line. Ours and theirs
are measured in turns, N rounds each, and the best of each counts. Time is the processor's, as ``openssl
speed`` counts it, so that a busy machine does not decide. Goals: SM2 at least 0.9 of ``openssl speed sm2``,
content at least 300 times gmssl.
"""

import argparse
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from time import process_time
from typing import Final

from gmssl import sm2 as gmssl_sm2
from gmssl import sm3 as gmssl_sm3
from gmssl import sm4 as gmssl_sm4

from crypto import kdf, sm3, sm4
from crypto.backends.choice import about, current
from crypto.backends.native import Native
from crypto.sm2 import Sm2PrivateKey

MIB: Final = 1 << 20
CHUNK: Final = bytes(MIB)
SMALL: Final = bytes(32 * 1024)  # gmssl takes a tenth of a second for this
MESSAGE: Final = bytes(range(32))
KEY, IV, NONCE = bytes(range(16)), bytes(16), bytes(12)
Measure = Callable[[], float]


def per_second(work: Callable[[], object], seconds: float, each: float = 1.0) -> float:
    """How much of ``each`` is done in a second."""
    times, began = 0, process_time()
    while (passed := process_time() - began) < seconds:
        work()
        times += 1
    return times * each / passed


def openssl_speed(arguments: list[str], seconds: int) -> list[str]:
    """The last line that ``openssl speed`` prints, in words."""
    command = ["openssl", "speed", "-seconds", str(max(1, seconds)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1].split()


def openssl_sm2(seconds: int) -> tuple[float, float]:
    """Signatures and verifications a second."""
    words = openssl_speed(["sm2"], seconds)
    return float(words[-2]), float(words[-1])


def openssl_bulk(algorithm: str, seconds: int) -> float:
    """MiB a second over blocks of 1 MiB."""
    words = openssl_speed(["-evp", algorithm, "-bytes", str(MIB)], seconds)
    found = re.fullmatch(r"([\d.]+)k", words[-1])
    assert found, words
    return float(found[1]) * 1000 / MIB


def say(name: str, value: float, unit: str, versus: str, versus_value: float, conditions: str) -> None:
    """One line of the common form."""
    line = {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "versus": versus,
        "versus_value": round(versus_value, 3),
        "ratio": round(value / versus_value, 3),
        "conditions": conditions,
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)


def in_turns(measures: Sequence[Measure], rounds: int) -> list[float]:
    """The best of each, measured in turns."""
    seen = [[measure() for measure in measures] for _ in range(rounds)]
    return [max(values) for values in zip(*seen, strict=True)]


def sm2_beside_openssl(key: Sm2PrivateKey, rounds: int, seconds: int) -> None:
    """Signing and verifying, 32-byte messages with ZA and SM3."""
    signature = key.sign(MESSAGE)
    theirs: list[tuple[float, float]] = []

    def other() -> float:
        theirs.append(openssl_sm2(seconds))
        return 0.0

    sign, verify, _ = in_turns(
        [
            lambda: per_second(lambda: key.sign(MESSAGE), seconds),
            lambda: per_second(lambda: key.public.verify(MESSAGE, signature), seconds),
            other,
        ],
        rounds,
    )
    conditions = f"32-byte message, best of {rounds}"
    say("sm2.sign", sign, "1/s", "openssl speed sm2", max(pair[0] for pair in theirs), conditions)
    say("sm2.verify", verify, "1/s", "openssl speed sm2", max(pair[1] for pair in theirs), conditions)


def bulk_beside_openssl(rounds: int, seconds: int) -> None:
    """Content in chunks of 1 MiB."""
    digest, counter = sm3.new(), sm4.Ctr(KEY, IV)
    sealing, chaining = sm4.GcmSeal(KEY, NONCE), sm4.CbcEncrypt(KEY, IV)
    works: list[tuple[str, Callable[[], object], str]] = [
        ("sm3", lambda: digest.update(CHUNK), "sm3"),
        ("sm4.ctr", lambda: counter.update(CHUNK), "sm4-ctr"),
        ("sm4.cbc.encrypt", lambda: chaining.update(CHUNK), "sm4-cbc"),
        ("sm4.gcm.seal", lambda: sealing.update(CHUNK), "sm4-ctr"),
    ]
    for name, work, algorithm in works:
        measures = [partial(per_second, work, seconds), partial(openssl_bulk, algorithm, seconds)]
        ours, theirs = in_turns(measures, rounds)
        say(name, ours, "MiB/s", f"openssl speed {algorithm}", theirs, f"1 MiB chunks, best of {rounds}")


def beside_gmssl(key: Sm2PrivateKey, rounds: int, seconds: int) -> None:
    """The package gmssl 3.2.2 as it is installed, given a key it does not spoil."""
    while key.public.point[1:].hex().startswith(("0", "4")):
        key = Sm2PrivateKey.generate()
    theirs = gmssl_sm2.CryptSM2(bytes(key.handle.scalar()).hex(), key.public.point[1:].hex(), mode=1)
    signature, sealed = key.sign(MESSAGE), key.public.encrypt(KEY)
    block, small = gmssl_sm4.CryptSM4(), len(SMALL) / MIB
    block.set_key(KEY, gmssl_sm4.SM4_ENCRYPT)
    pairs: list[tuple[str, Callable[[], object], Callable[[], object], str]] = [
        (
            "sm2.sign",
            lambda: key.sign(MESSAGE),
            lambda: theirs.sign_with_sm3(MESSAGE),
            "32-byte message",
        ),
        (
            "sm2.verify",
            lambda: key.public.verify(MESSAGE, signature),
            lambda: theirs.verify_with_sm3(signature.hex(), MESSAGE),
            "32-byte message",
        ),
        ("sm2.encrypt", lambda: key.public.encrypt(KEY), lambda: theirs.encrypt(KEY), "16-byte key"),
        ("sm2.decrypt", lambda: key.decrypt(sealed), lambda: theirs.decrypt(sealed[1:]), "16-byte key"),
    ]
    for name, ours, other, conditions in pairs:
        measures = [partial(per_second, ours, seconds), partial(per_second, other, seconds)]
        value, versus = in_turns(measures, rounds)
        say(name, value, "1/s", "gmssl 3.2.2", versus, f"{conditions}, best of {rounds}")
    bulk: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("sm3", lambda: sm3.sm3(CHUNK), lambda: gmssl_sm3.sm3_hash(list(SMALL))),
        ("sm4.cbc.encrypt", lambda: sm4.cbc_encrypt(KEY, IV, CHUNK), lambda: block.crypt_cbc(IV, SMALL)),
    ]
    for name, ours, other in bulk:
        measures = [partial(per_second, ours, seconds), partial(per_second, other, seconds, small)]
        value, versus = in_turns(measures, rounds)
        say(name, value, "MiB/s", "gmssl 3.2.2", versus, f"1 MiB against 32 KiB, best of {rounds}")


def small_work(seconds: int) -> None:
    """Many small calls, beside hashlib and the backend native."""
    leaf = bytes(64)
    say(
        "sm3.leaf",
        per_second(lambda: sm3.sm3(leaf), seconds),
        "1/s",
        "hashlib",
        per_second(lambda: hashlib.new("sm3", leaf).digest(), seconds),
        "64-byte leaves",
    )
    key, other = Sm2PrivateKey.generate(), Sm2PrivateKey.generate(backend=Native())
    say(
        "sm2.sign",
        per_second(lambda: key.sign(MESSAGE), seconds),
        "1/s",
        "backend native",
        per_second(lambda: other.sign(MESSAGE), seconds),
        "32-byte message",
    )
    rounds = 100_000
    say(
        "pbkdf2",
        per_second(lambda: kdf.pbkdf2(b"passphrase", bytes(16), rounds, 16), seconds),
        "1/s",
        "hashlib",
        per_second(lambda: hashlib.pbkdf2_hmac("sm3", b"passphrase", bytes(16), rounds, 16), seconds),
        f"{rounds} rounds",
    )


def main() -> int:
    """Run all; without the openssl command only what needs none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=1)
    asked = parser.parse_args()
    current()
    print(f"{about().library}; {platform.machine()}, Python {platform.python_version()}", file=sys.stderr)
    key = Sm2PrivateKey.generate()
    if shutil.which("openssl"):
        sm2_beside_openssl(key, asked.rounds, asked.seconds)
        bulk_beside_openssl(asked.rounds, asked.seconds)
    else:
        print("no openssl command: nothing set beside it", file=sys.stderr)
    beside_gmssl(key, asked.rounds, asked.seconds)
    small_work(asked.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
