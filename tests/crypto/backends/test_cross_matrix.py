"""Everyone's signatures verified and ciphertexts opened by everyone: our backends, gmalg, gmssl-pyx."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gmalg
import gmssl_pyx
import pytest

from crypto import sm2
from crypto.backends.choice import BACKENDS
from crypto.backends.interface import Backend
from crypto.backends.native import _without_traces
from crypto.backends.sdf import Sdf
from crypto.sm2 import Sm2PrivateKey
from crypto.words import Refused

TEXT_BYTES = 24


class Party(NamedTuple):
    """One implementation with the common key; signatures are r and s, ciphertexts C1, C3, C2."""

    sign: Callable[[bytes], bytes]
    verifies: Callable[[bytes, bytes], bool]
    encrypt: Callable[[bytes], bytes]
    decrypt: Callable[[bytes], bytes]


def ours(signer: Sm2PrivateKey, opener: Sm2PrivateKey) -> Party:
    """A backend through our API."""

    def verifies(message: bytes, signature: bytes) -> bool:
        try:
            signer.public.verify(message, signature)
        except Refused:
            return False
        return True

    return Party(signer.sign, verifies, opener.public.encrypt, opener.decrypt)


def of_gmalg(key: Sm2PrivateKey) -> Party:
    """The pure Python library gmalg."""
    other = gmalg.SM2(bytes(key.handle.scalar()), sm2.DEFAULT_ID, key.public.point)
    return Party(
        lambda message: b"".join(one.rjust(32, b"\0") for one in other.sign(message)),  # it drops zeros
        lambda message, signature: bool(other.verify(message, signature[:32], signature[32:])),
        other.encrypt,
        other.decrypt,
    )


def of_gmssl_pyx(key: Sm2PrivateKey) -> Party:
    """The compiled library GmSSL through its own binding."""
    scalar, bare = bytes(key.handle.scalar()), key.public.point[1:]

    def verifies(message: bytes, signature: bytes) -> bool:
        with _without_traces():
            return bool(gmssl_pyx.sm2_verify(bare, message, sm2.signature_to_der(signature)))

    return Party(
        lambda message: sm2.signature_from_der(gmssl_pyx.sm2_sign(scalar, bare, message)),
        verifies,
        lambda text: sm2.from_der(gmssl_pyx.sm2_encrypt(bare, text)),
        lambda data: bytes(gmssl_pyx.sm2_decrypt(scalar, sm2.to_der(data))),
    )


@pytest.fixture(name="parties", scope="module")
def _parties(machine: Sdf, vectors: dict[str, list[dict[str, Any]]]) -> dict[str, Party]:
    scalar = bytes.fromhex(vectors["sm2_sign"][0]["private_key_hex"])
    key = Sm2PrivateKey.from_scalar(scalar)
    found: dict[str, Party] = {}
    for name, open_ in BACKENDS.items():
        backend: Backend = open_()
        same = Sm2PrivateKey.from_scalar(scalar, key.public.point, backend=backend)
        found[name] = ours(same, same)
    found["sdf"] = ours(
        Sm2PrivateKey(machine.signing_key(1, bytearray(b"device")), backend=machine),
        Sm2PrivateKey(machine.decryption_key(1, bytearray(b"device")), backend=machine),
    )
    return {**found, "gmalg": of_gmalg(key), "gmssl-pyx": of_gmssl_pyx(key)}


def run(parties: dict[str, Party], rounds: int) -> None:
    """All pairs, so many signatures and ciphertexts each, and one altered of each."""
    for name, maker in parties.items():
        for number in range(rounds):
            text = f"{name} {number}".encode().ljust(TEXT_BYTES, b".")
            signature, sealed = maker.sign(text), maker.encrypt(text)
            for other, reader in parties.items():
                assert reader.verifies(text, signature), f"{other} refuses the signature of {name}"
                assert reader.decrypt(sealed) == text, f"{other} does not open the text of {name}"
            if number == 0:
                refused = [
                    other for other, reader in parties.items() if reader.verifies(text + b"!", signature)
                ]
                assert not refused


def test_one_of_each(parties: dict[str, Party]) -> None:
    run(parties, 1)


@pytest.mark.slow
def test_twenty_of_each(parties: dict[str, Party]) -> None:
    assert len(parties) == 6
    run(parties, 20)
