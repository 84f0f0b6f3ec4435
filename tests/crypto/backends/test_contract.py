"""What every selectable backend must do and refuse, the simulated cipher machine included."""

from collections.abc import Callable
from typing import Any

import pytest

from crypto import sm2, sm4
from crypto.backends.interface import Backend
from crypto.selftest import check, steps_of
from crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from crypto.sm2_exchange import Exchange
from crypto.sm3 import hmac_sm3, new
from crypto.words import BadInput, LiuheError, Refused

Vectors = dict[str, list[dict[str, Any]]]
TEXT = b"a package of evidence"
KEY, IV, NONCE = bytes(range(16)), bytes(range(16, 32)), bytes(range(12))
OFF_CURVE = b"\x04" + bytes(31) + b"\x01" + bytes(31) + b"\x01"


def of(vector: dict[str, Any], *names: str) -> bytes:
    """The bytes of some hex fields in a row."""
    return bytes.fromhex("".join(vector[f"{name}_hex"] for name in names))


def altered(data: bytes, at: int, change: int = 1) -> bytes:
    """The same with one byte changed."""
    out = bytearray(data)
    out[at] ^= change
    return bytes(out)


def test_passes_its_self_test(backend: Backend, opener: Sm2PrivateKey) -> None:
    assert opener.public.point
    assert check(backend) == tuple(name for name, _ in steps_of(backend))
    about = backend.about()
    assert about.name in {"openssl", "native", "reference", "sdf"}
    assert about.reference == (about.name == "reference")
    assert about.library
    assert all(about.note)


def test_sm3_vectors_and_streaming(backend: Backend, vectors: Vectors) -> None:
    for vector in vectors["sm3"]:
        assert new(of(vector, "message"), backend=backend).digest() == of(vector, "digest")
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 200):
        data = bytes(range(size))
        running = backend.sm3()
        for at in range(0, size, 7):
            assert len(running.digest()) == 32
            running.update(data[at : at + 7])
        assert running.digest() == backend.sm3(data).digest()
        assert running.hexdigest() == running.digest().hex()


def test_hmac_takes_keys_of_any_length(backend: Backend) -> None:
    codes = {hmac_sm3(bytes(size), TEXT, backend=backend) for size in (0, 1, 64)}
    assert len(codes) == 1  # zeros are the padding
    assert hmac_sm3(bytes(65), TEXT, backend=backend) not in codes


def test_sm4_vectors(backend: Backend, vectors: Vectors) -> None:
    block = vectors["sm4"][0]
    key, plain, sealed = of(block, "key"), of(block, "plaintext"), of(block, "ciphertext")
    assert sm4.ecb_encrypt(key, plain, backend=backend) == sealed
    assert sm4.ecb_decrypt(key, sealed, backend=backend) == plain
    assert sm4.Ctr(key, plain, backend=backend).update(bytes(16)) == sealed
    assert sm4.cbc_encrypt(key, bytes(16), plain, backend=backend)[:16] == sealed


@pytest.mark.parametrize(("name", "seal", "open_"), [
    ("sm4_gcm", sm4.gcm_seal, sm4.gcm_open),
    ("sm4_ccm", sm4.ccm_seal, sm4.ccm_open),
])  # fmt: skip
def test_authenticated_modes_open_nothing_that_was_touched(
    backend: Backend, vectors: Vectors, name: str, seal: Callable[..., bytes], open_: Callable[..., bytes]
) -> None:
    vector = vectors[name][0]
    key, nonce, aad = of(vector, "key"), of(vector, "iv"), of(vector, "aad")
    plain, sealed = of(vector, "plaintext"), of(vector, "ciphertext", "tag")
    assert seal(key, nonce, plain, aad, backend=backend) == sealed
    assert open_(key, nonce, sealed, aad, backend=backend) == plain
    wrong = [(key, nonce, altered(sealed, at), aad) for at in range(0, len(sealed), 5)]
    wrong += [(key, nonce, sealed[:-1], aad), (key, nonce, sealed[16:], aad), (key, nonce, b"", aad)]
    wrong += [(key, nonce, sealed, altered(aad, 0)), (key, nonce, sealed, b"")]
    wrong += [(altered(key, 3), nonce, sealed, aad), (key, altered(nonce, 3), sealed, aad)]
    for arguments in wrong:
        with pytest.raises(Refused, match="sm4-tag"):
            open_(*arguments, backend=backend)
    assert open_(key, nonce, seal(key, nonce, b"", b"", backend=backend), b"", backend=backend) == b""


def test_sm4_streams_give_what_one_call_gives(backend: Backend) -> None:
    data = bytes(range(100))
    pieces = [data[at : at + 9] for at in range(0, 100, 9)]
    counter = b"\xff" * 15 + b"\xfe"  # it runs over
    running = sm4.Ctr(KEY, counter, backend=backend)
    stream = b"".join(map(running.update, pieces)) + running.finalize()
    assert stream == sm4.Ctr(KEY, counter, backend=backend).update(data)
    assert sm4.Ctr(KEY, counter, backend=backend).update(stream) == data
    sealing = sm4.GcmSeal(KEY, NONCE, b"head", backend=backend)
    sealed = b"".join(map(sealing.update, pieces)) + sealing.finalize()
    assert sealed == sm4.gcm_seal(KEY, NONCE, data, b"head", backend=backend)
    opening = sm4.GcmOpen(KEY, NONCE, b"head", backend=backend)
    assert b"".join(opening.update(sealed[at : at + 11]) for at in range(0, 99, 11)) == data[:99]
    assert opening.update(sealed[99:100]) == data[99:]
    opening.finalize(sealed[100:])
    encrypting, decrypting = (kind(KEY, IV, backend=backend) for kind in (sm4.CbcEncrypt, sm4.CbcDecrypt))
    chained = b"".join(map(encrypting.update, pieces)) + encrypting.finalize()
    assert chained == sm4.cbc_encrypt(KEY, IV, data, backend=backend)
    plain = b"".join(decrypting.update(chained[at : at + 9]) for at in range(0, len(chained), 9))
    assert plain + decrypting.finalize() == data


def test_every_padding_fault_is_the_same_refusal(backend: Backend) -> None:
    faults = [b"", b"short", bytes(24)]
    endings = [
        b"\0" * 16,
        b"\x11" * 16,
        b"\xff" * 16,
        bytes(14) + b"\x03\x02",
        bytes(12) + b"\x04\x05\x04\x04",
    ]
    endings.append(b"\x0f" + b"\x10" * 15)
    faults += [backend.sm4("cbc", KEY, IV, encrypt=True).update(bytes(16) + ending) for ending in endings]
    seen = set()
    for sealed in faults:
        with pytest.raises(Refused) as caught:
            sm4.cbc_decrypt(KEY, IV, sealed, backend=backend)
        seen.add((caught.value.code, caught.value.what, caught.value.fix, caught.value.field))
    assert len(seen) == 1
    for size in range(33):
        sealed = sm4.cbc_encrypt(KEY, IV, bytes(size), backend=backend)
        assert sm4.cbc_decrypt(KEY, IV, sealed, backend=backend) == bytes(size)


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_wrong_lengths_are_bad_input(backend: Backend, size: int) -> None:
    wrong = bytes(size)
    for call in (
        lambda: sm4.cbc_encrypt(wrong, IV, b"", backend=backend),
        lambda: sm4.cbc_decrypt(KEY, wrong, bytes(16), backend=backend),
        lambda: sm4.Ctr(KEY, wrong, backend=backend),
        lambda: sm4.ecb_encrypt(wrong, b"", backend=backend),
        lambda: sm4.gcm_seal(wrong, NONCE, b"", backend=backend),
        lambda: sm4.gcm_open(KEY, wrong, bytes(16), backend=backend),
        lambda: sm4.ccm_seal(KEY, wrong, b"", backend=backend),
    ):
        with pytest.raises(BadInput, match="sm4-parameter"):
            call()


def test_standard_signature(backend: Backend, signer: Sm2PrivateKey, vectors: Vectors) -> None:
    vector = vectors["sm2_sign"][0]
    public = Sm2PublicKey(b"\x04" + of(vector, "public_x", "public_y"), backend=backend)
    message, signature = vector["message_ascii"].encode(), of(vector, "r", "s")
    assert public.za() == of(vector, "za")
    public.verify(message, signature)
    public.verify_digest(of(vector, "e"), sm2.signature_from_der(of(vector, "signature_der")))
    running = signer.public.signing_digest()
    running.update(message[:3])
    running.update(message[3:])
    assert running.digest() == of(vector, "e")
    public.verify(message, signer.sign_digest(running.digest()))


def test_signatures_are_refused_unless_all_is_right(backend: Backend, signer: Sm2PrivateKey) -> None:
    public = signer.public
    signature = signer.sign(TEXT)
    public.verify(TEXT, signature)
    assert signer.sign(TEXT) != signature  # a fresh k each time
    wrong: list[tuple[bytes, bytes, bytes]] = [
        (TEXT + b".", signature, sm2.DEFAULT_ID),
        (TEXT, signature, b"ALICE123@YAHOO.COM"),
        (TEXT, signature[::-1], sm2.DEFAULT_ID),
        (TEXT, signature[32:] + signature[:32], sm2.DEFAULT_ID),
        (TEXT, signature[:-1], sm2.DEFAULT_ID),
        (TEXT, b"", sm2.DEFAULT_ID),
        (TEXT, sm2.signature_to_der(signature), sm2.DEFAULT_ID),
    ]
    wrong += [(TEXT, altered(signature, at), sm2.DEFAULT_ID) for at in range(0, 64, 9)]
    for number in (0, sm2.N, sm2.N + 1, 2**256 - 1):
        for pair in (sm2.Pair(number, sm2.Pair.of(signature).s), sm2.Pair(sm2.Pair.of(signature).r, number)):
            wrong.append((TEXT, pair.raw(), sm2.DEFAULT_ID))
    r = sm2.Pair.of(signature).r
    wrong.append((TEXT, sm2.Pair(r, sm2.N - r).raw(), sm2.DEFAULT_ID))  # t = 0
    for message, candidate, identity in wrong:
        with pytest.raises(Refused, match="signature-invalid"):
            public.verify(message, candidate, user_id=identity)
    named = signer.sign(TEXT, user_id=b"ALICE123@YAHOO.COM")
    public.verify(TEXT, named, user_id=b"ALICE123@YAHOO.COM")
    stranger = Sm2PublicKey(Sm2PrivateKey.generate().public.point, backend=backend)
    with pytest.raises(Refused, match="signature-invalid"):
        stranger.verify(TEXT, signature)
    for call in (lambda: signer.sign_digest(bytes(31)), lambda: public.verify_digest(bytes(33), signature)):
        with pytest.raises(BadInput, match="sm2-digest"):
            call()


def test_standard_decryption(opener: Sm2PrivateKey, vectors: Vectors) -> None:
    vector = vectors["sm2_decrypt"][0]
    raw = b"\x04" + of(vector, "c1_x", "c1_y", "c3", "c2")
    assert raw[1] == 4  # what careless parsers strip
    assert sm2.to_der(raw) == of(vector, "der")
    assert sm2.decrypt(opener, sm2.from_der(of(vector, "der"))) == vector["plaintext_ascii"].encode()


def test_ciphertexts_are_refused_unless_all_is_right(backend: Backend, opener: Sm2PrivateKey) -> None:
    for size in (1, 16, 32, 33, 255):
        text = bytes(range(size))
        assert opener.decrypt(opener.public.encrypt(text)) == text
    sealed = opener.public.encrypt(TEXT)
    assert opener.public.encrypt(TEXT) != sealed  # a fresh k each time
    wrong = [altered(sealed, at) for at in (0, 1, 32, 33, 64, 65, 70, 96, 97, 105, len(sealed) - 1)]
    wrong += [sealed[:-1], sealed + b"\0", sealed[:97], sealed[:65], b"", b"\0", sealed[1:], b"\x04" + sealed]
    wrong += [OFF_CURVE + sealed[65:], b"\x04" + bytes(64) + sealed[65:], b"\0" + sealed[65:]]
    wrong.append(sealed[:65] + sealed[97:] + sealed[65:97])  # the old order C1, C2, C3
    wrong.append(
        sealed[:33] + (sm2.P - int.from_bytes(sealed[33:65], "big")).to_bytes(32, "big") + sealed[65:]
    )
    wrong.append(
        sealed[:1] + (int.from_bytes(sealed[1:33], "big") ^ (1 << 255)).to_bytes(32, "big") + sealed[33:]
    )
    wrong.append(Sm2PrivateKey.generate().public.encrypt(TEXT))
    wrong.append(sm2.to_der(sealed))
    for data in wrong:
        with pytest.raises(Refused, match="sm2-ciphertext"):
            opener.decrypt(data)
    for empty in (b"", bytes(sm2.PLAIN_BYTES_MAX + 1)):
        with pytest.raises(BadInput, match="sm2-plaintext"):
            opener.public.encrypt(empty)
    assert Sm2PublicKey(opener.public.point, backend=backend).point == opener.public.point


@pytest.mark.parametrize("point", [
    OFF_CURVE, b"", b"\0", b"\x04", b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, b"\x02" + bytes(32),
])  # fmt: skip
def test_points_off_the_curve_are_no_keys(backend: Backend, point: bytes) -> None:
    with pytest.raises(BadInput, match="key-malformed"):
        Sm2PublicKey(point, backend=backend)


def test_private_numbers_out_of_range_are_no_keys(backend: Backend, signer: Sm2PrivateKey) -> None:
    for number in (0, sm2.N - 1, sm2.N, 2**256 - 1):
        with pytest.raises(BadInput, match="key-malformed"):
            Sm2PrivateKey.from_scalar(number.to_bytes(32, "big"), signer.public.point, backend=backend)
    for scalar in (b"", bytes(31), bytes(33)):
        with pytest.raises(BadInput, match="key-malformed"):
            Sm2PrivateKey.from_scalar(scalar, signer.public.point, backend=backend)


def test_a_point_of_another_key_is_refused(backend: Backend) -> None:
    ours, theirs = Sm2PrivateKey.generate(), Sm2PrivateKey.generate()
    with pytest.raises(LiuheError) as caught:
        Sm2PrivateKey.from_scalar(ours.handle.scalar(), theirs.public.point, backend=backend)
    assert caught.value.code in {"key-malformed", "sdf-key-outside"}


def test_generated_keys_serve_or_generation_is_refused(backend: Backend) -> None:
    if backend.about().name == "sdf":
        with pytest.raises(Refused, match="sdf-key-outside"):
            Sm2PrivateKey.generate(backend=backend)
        return
    key = Sm2PrivateKey.generate(backend=backend)
    again = Sm2PrivateKey.from_pkcs8(key.pkcs8_buffer(), backend=backend)
    assert again.public.point == key.public.point
    assert Sm2PrivateKey.generate(backend=backend).public.point != key.public.point
    key.public.verify(TEXT, again.sign(TEXT))


def test_key_exchange_agrees_or_is_refused(backend: Backend, signer: Sm2PrivateKey) -> None:
    peer = Sm2PrivateKey.generate()
    theirs = Exchange(peer, initiator=False)
    if backend.about().name in {"native", "sdf"}:
        fresh = Sm2PrivateKey.generate()
        with pytest.raises(Refused, match="backend-lacks"):
            Exchange(signer, initiator=True, ephemeral=fresh, backend=backend).agree(
                peer.public, theirs.point, 16
            )
        return
    ours = Exchange(signer, initiator=True, backend=backend)
    left = ours.agree(peer.public, theirs.point, 48)
    right = theirs.agree(signer.public, ours.point, 48)
    assert left.key == right.key
    left.confirm(right.proof)
    right.confirm(left.proof)
    for point in (OFF_CURVE, b"", b"\0", b"\x04" + bytes(64)):
        with pytest.raises(Refused, match="sm2-exchange"):
            Exchange(signer, initiator=True, backend=backend).agree(peer.public, point, 16)
