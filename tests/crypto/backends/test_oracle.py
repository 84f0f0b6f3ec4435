"""The reference as oracle: whatever one backend makes, the other reads, and both compute the same."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import kdf, sm2, sm4
from crypto.backends.block_modes import Counter
from crypto.backends.interface import Backend
from crypto.backends.native import Native
from crypto.backends.openssl import OpenSsl
from crypto.backends.reference import Reference
from crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from crypto.sm3 import hmac_sm3

FAST: list[Backend] = [OpenSsl(), Native()]
ORACLE = Reference()
IDS = ["openssl", "native"]
SMALL = settings(max_examples=12, deadline=None)
KEYS = st.binary(min_size=16, max_size=16)
NONCES = st.binary(min_size=12, max_size=12)
SCALARS = st.integers(1, sm2.N - 2).map(lambda number: number.to_bytes(32, "big"))


def pair(scalar: bytes, backend: Backend) -> tuple[Sm2PrivateKey, Sm2PrivateKey]:
    """The same key in the oracle and in a fast backend."""
    theirs = Sm2PrivateKey.from_scalar(scalar, backend=ORACLE)
    return Sm2PrivateKey.from_scalar(scalar, theirs.public.point, backend=backend), theirs


@pytest.mark.parametrize("backend", FAST, ids=IDS)
@SMALL
@given(scalar=SCALARS, message=st.binary(max_size=200), identity=st.binary(min_size=1, max_size=40))
def test_signatures(backend: Backend, scalar: bytes, message: bytes, identity: bytes) -> None:
    ours, theirs = pair(scalar, backend)
    for signer, other in itertools.permutations((ours, theirs)):
        signature = signer.sign(message, user_id=identity)
        other.public.verify(message, signature, user_id=identity)
    assert ours.public.za(identity) == theirs.public.za(identity)


@pytest.mark.parametrize("backend", FAST, ids=IDS)
@SMALL
@given(scalar=SCALARS, text=st.binary(min_size=1, max_size=255))
def test_ciphertexts(backend: Backend, scalar: bytes, text: bytes) -> None:
    ours, theirs = pair(scalar, backend)
    for sealer, other in itertools.permutations((ours, theirs)):
        assert other.decrypt(sealer.public.encrypt(text)) == text


@SMALL
@given(scalar=SCALARS)
def test_points_computed_from_private_numbers(scalar: bytes) -> None:
    ours = Sm2PrivateKey.from_scalar(scalar, backend=FAST[0])
    assert ours.public.point == Sm2PrivateKey.from_scalar(scalar, backend=ORACLE).public.point
    assert Sm2PublicKey.from_spki(ours.public.spki(), backend=ORACLE).point == ours.public.point


@SMALL
@given(data=st.binary(max_size=300), key=st.binary(max_size=100), size=st.integers(1, 100))
def test_digests(data: bytes, key: bytes, size: int) -> None:
    for backend in FAST:
        assert backend.sm3(data).digest() == ORACLE.sm3(data).digest()
        assert hmac_sm3(key, data, backend=backend) == hmac_sm3(key, data, backend=ORACLE)
        assert kdf.sm3_kdf(data, size, backend=backend) == kdf.sm3_kdf(data, size, backend=ORACLE)


@settings(max_examples=30, deadline=None)
@given(key=KEYS, iv=KEYS, nonce=NONCES, data=st.binary(max_size=150), aad=st.binary(max_size=50))
def test_modes(key: bytes, iv: bytes, nonce: bytes, data: bytes, aad: bytes) -> None:
    backend = FAST[0]
    chained = sm4.cbc_encrypt(key, iv, data, backend=backend)
    assert chained == sm4.cbc_encrypt(key, iv, data, backend=ORACLE)
    assert sm4.cbc_decrypt(key, iv, chained, backend=ORACLE) == data
    stream = sm4.Ctr(key, iv, backend=backend).update(data)
    assert stream == sm4.Ctr(key, iv, backend=ORACLE).update(data)
    for seal, open_ in ((sm4.gcm_seal, sm4.gcm_open), (sm4.ccm_seal, sm4.ccm_open)):
        sealed = seal(key, nonce, data, aad, backend=backend)
        assert sealed == seal(key, nonce, data, aad, backend=ORACLE)
        assert open_(key, nonce, sealed, aad, backend=ORACLE) == data


@settings(max_examples=30, deadline=None)
@given(key=KEYS, nonce=NONCES, parts=st.lists(st.binary(max_size=40), max_size=5))
def test_streams_cut_anywhere(key: bytes, nonce: bytes, parts: list[bytes]) -> None:
    for backend in (FAST[0], ORACLE):
        sealing = sm4.GcmSeal(key, nonce, backend=backend)
        sealed = b"".join(map(sealing.update, parts)) + sealing.finalize()
        assert sealed == sm4.gcm_seal(key, nonce, b"".join(parts), backend=FAST[0])


def test_the_counter_of_gcm_wraps_in_32_bits() -> None:
    seen: list[bytes] = []

    def block(text: bytes) -> bytes:
        seen.append(text)
        return text

    Counter(block, bytes(12) + b"\xff" * 4, bits=32).update(bytes(32))
    assert seen == [bytes(12) + b"\xff" * 4, bytes(16)]
