"""The guard around gmssl: each of its known defects is shown to exist there and to be mended here."""

import random  # noqa: TID251  # what gmssl itself draws from

import pytest
from gmssl import sm2 as gmssl_sm2

from crypto import sm2, sm4
from crypto.backends.openssl import OpenSsl
from crypto.backends.reference import BULK_BYTES_MAX, Reference
from crypto.words import BadInput, Refused

BACKEND = Reference()
FAST = OpenSsl()


def key_whose_x_begins_with(prefix: str) -> sm2.Sm2PrivateKey:
    """A pair whose public x begins so in hex."""
    while True:
        key = sm2.Sm2PrivateKey.generate(backend=FAST)
        if key.public.point[1:].hex().startswith(prefix):
            return key


@pytest.mark.parametrize("prefix", ["0", "4"])
def test_keys_that_begin_with_04_survive(prefix: str) -> None:
    ours = key_whose_x_begins_with(prefix)
    stripped = gmssl_sm2.CryptSM2("", ours.public.point.hex(), mode=1).public_key
    assert len(stripped) < 128  # the defect
    same = sm2.Sm2PrivateKey.from_pkcs8(ours.pkcs8(), backend=BACKEND)
    ours.public.verify(b"text", same.sign(b"text"))
    same.public.verify(b"text", ours.sign(b"text"))
    assert ours.decrypt(same.public.encrypt(b"text")) == b"text"
    assert same.decrypt(ours.public.encrypt(b"text")) == b"text"


def test_numbers_k_do_not_come_from_the_predictable_generator() -> None:
    key = sm2.Sm2PrivateKey.generate(backend=BACKEND)
    made = set()
    for _ in range(2):
        random.seed(1)
        made |= {key.sign(b"text"), key.public.encrypt(b"text")}
    assert len(made) == 4


def test_a_ciphertext_that_gmssl_opens_although_altered_is_refused() -> None:
    key = sm2.Sm2PrivateKey.generate(backend=BACKEND)
    sealed = key.public.encrypt(b"text")
    altered = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    raw = gmssl_sm2.CryptSM2(bytes(key.handle.scalar()).hex(), "", mode=1)
    assert raw.decrypt(altered[1:]) == b"texu"  # the defect
    with pytest.raises(Refused, match="sm2-ciphertext"):
        key.decrypt(altered)


def test_infinity_is_refused_where_the_arithmetic_meets_it() -> None:
    key = sm2.Sm2PrivateKey.generate(backend=BACKEND)
    signature = key.sign(b"text")
    s = sm2.Pair.of(signature).s
    with pytest.raises(Refused, match="signature-invalid"):
        key.public.verify(b"text", sm2.Pair(sm2.N - s, s).raw())
    with pytest.raises(BadInput, match="key-malformed"):
        sm2.Sm2PrivateKey.from_scalar(
            key.handle.scalar(), sm2.Sm2PrivateKey.generate().public.point, backend=BACKEND
        )


def test_large_content_is_refused_unless_forced() -> None:
    over = bytes(BULK_BYTES_MAX + 1)
    zeros = bytes(16)
    for call in (
        lambda: BACKEND.sm3(over),
        lambda: sm4.cbc_encrypt(zeros, zeros, over, backend=BACKEND),
        lambda: sm4.Ctr(zeros, zeros, backend=BACKEND).update(over),
        lambda: sm4.gcm_seal(zeros, zeros[:12], over, backend=BACKEND),
        lambda: sm4.gcm_seal(zeros, zeros[:12], b"", over, backend=BACKEND),
        lambda: sm4.gcm_open(zeros, zeros[:12], over + zeros, backend=BACKEND),
    ):
        with pytest.raises(Refused, match="reference-bulk"):
            call()
    running = BACKEND.sm3(bytes(BULK_BYTES_MAX))
    with pytest.raises(Refused, match="reference-bulk"):
        running.update(b".")
    Reference(forced=True).sm3(over)


def test_it_says_that_it_is_a_reference() -> None:
    assert BACKEND.about().reference
    assert "constant-time" in BACKEND.about().note.en
