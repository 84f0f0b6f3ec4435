"""Key files: ours, GmSSL's, OpenSSL's; weak or unknown encryption refused before it is run."""

import hashlib
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import pem, pkcs8, sm4
from crypto.sm2 import Sm2PrivateKey
from crypto.words import BadInput, LiuheError, Refused

KEY = Sm2PrivateKey.generate()
PASSPHRASE = bytearray(b"a long passphrase")
SALT, VECTOR = bytes(range(16)), bytes(range(16, 32))
PBES2, PBKDF2 = "06092a864886f70d01050d", "06092a864886f70d01050c"
HMAC_SM3, HMAC_SM3_LONG = "06092a811ccf5501831102", "060a2a811ccf550183110301"
HMAC_SHA256, HMAC_SHA1 = "06082a864886f70d0209", "06082a864886f70d0207"
SM4_CBC, AES_CBC = "06082a811ccf55016802", "0609608648016503040102"


def tlv(tag: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    size = len(data)
    digits = size.to_bytes(max(1, -(-size.bit_length() // 8)))
    return bytes((tag,)) + (b"" if size < 0x80 else bytes((0x80 | len(digits),))) + digits + data


def by_hand(
    *,
    prf: str = HMAC_SM3,
    null: bool = False,
    size: int | None = 16,
    rounds: int = 65_536,
    cipher: str = SM4_CBC,
    scheme: str = PBES2,
    derivation: str = PBKDF2,
    salt: bytes = SALT,
) -> bytes:
    """An EncryptedPrivateKeyInfo put together without the module under test."""
    digest = "sha256" if prf == HMAC_SHA256 else "sm3"
    key = hashlib.pbkdf2_hmac(digest, PASSPHRASE, salt, min(rounds, 100_000), 16)
    data = sm4.cbc_encrypt(key, VECTOR, KEY.pkcs8())
    number = rounds.to_bytes(rounds.bit_length() // 8 + 1)
    parts = [tlv(4, salt), tlv(2, number)]
    parts += [] if size is None else [tlv(2, bytes((size,)))]
    parts += [tlv(0x30, bytes.fromhex(prf), b"\x05\x00" if null else b"")] if prf else []
    kdf = tlv(0x30, bytes.fromhex(derivation), tlv(0x30, *parts))
    enc = tlv(0x30, bytes.fromhex(cipher), tlv(4, VECTOR))
    return tlv(0x30, tlv(0x30, bytes.fromhex(scheme), tlv(0x30, kdf, enc)), tlv(4, data))


@pytest.mark.parametrize("form", ["gmssl", "openssl"])
def test_round_trip_keeps_key_and_use(form: pkcs8.Form) -> None:
    for use in ("sign", "encrypt"):
        info = pkcs8.with_use(KEY.pkcs8(), use)
        sealed = pkcs8.seal(info, PASSPHRASE, form=form, rounds=65_536)
        assert pkcs8.open_(sealed, PASSPHRASE) == pkcs8.PrivateInfo(KEY.pkcs8(), use)
        with pytest.raises(Refused, match="key-passphrase"):
            pkcs8.open_(sealed, bytearray(b"another passphrase"))


def test_ours_is_at_least_what_was_promised() -> None:
    assert pkcs8.ROUNDS >= 100_000
    begun = time.perf_counter()
    sealed = pkcs8.seal(KEY.pkcs8(), PASSPHRASE)
    assert time.perf_counter() - begun < 5
    assert pkcs8.ROUNDS.to_bytes(3) in sealed
    assert len(sealed) < 512  # the buffer of GmSSL's reader
    assert bytes.fromhex(HMAC_SM3) in sealed
    assert bytes.fromhex(SM4_CBC) in sealed


@pytest.mark.parametrize(
    "sealed",
    [
        by_hand(),  # GmSSL 3.1 and newer
        by_hand(null=True, size=None),  # GmSSL 3.0 wrote NULL after the PRF and no length
        by_hand(prf=HMAC_SM3_LONG),
        by_hand(prf=HMAC_SHA256, null=True, size=None),  # OpenSSL
    ],
    ids=["gmssl", "gmssl 3.0", "other oid", "openssl"],
)
def test_forms_of_other_programs_open(sealed: bytes) -> None:
    assert pkcs8.open_(sealed, PASSPHRASE).plain == KEY.pkcs8()


@pytest.mark.parametrize(
    "sealed",
    [
        by_hand(prf=HMAC_SHA1),
        by_hand(prf=""),  # then it is HMAC-SHA1
        by_hand(rounds=2_048),
        by_hand(rounds=1 << 40),
        by_hand(rounds=1 << 900),
        by_hand(cipher=AES_CBC),
        by_hand(size=32),
        by_hand(scheme=PBKDF2),
        by_hand(derivation=PBES2),
        by_hand(salt=b"short"),
    ],
)
def test_weak_or_unknown_encryption_is_refused_unrun(sealed: bytes) -> None:
    with pytest.raises(Refused, match="key-encryption"):
        pkcs8.open_(sealed, PASSPHRASE)


def test_an_import_takes_the_rounds_of_openssl() -> None:
    assert pkcs8.open_(by_hand(rounds=2_048), PASSPHRASE, rounds_min=pkcs8.ROUNDS_IMPORT_MIN)
    with pytest.raises(Refused, match="key-encryption"):
        pkcs8.open_(by_hand(rounds=2_047), PASSPHRASE, rounds_min=pkcs8.ROUNDS_IMPORT_MIN)


def openssl(*arguments: str | Path, data: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no openssl command here")
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_openssl_and_we_read_each_others_keys(tmp_path: Path) -> None:
    (tmp_path / "pass").write_bytes(bytes(PASSPHRASE))
    plain = openssl("genpkey", "-algorithm", "SM2")
    read = pkcs8.read(pem.decode(plain, "PRIVATE KEY"))
    assert read.use is None
    point = Sm2PrivateKey.from_pkcs8(read.plain).public.spki()
    assert openssl("pkey", "-pubout", "-outform", "DER", data=plain) == point

    secret = f"file:{tmp_path / 'pass'}"
    for options in (("-v2prf", "hmacWithSHA256"), ("-v2prf", "hmacWithSHA256", "-iter", "70000")):
        command = ("pkcs8", "-topk8", "-v2", "sm4-cbc", *options, "-passout", secret, "-outform", "DER")
        theirs = openssl(*command, data=plain)
        assert pkcs8.open_(theirs, PASSPHRASE, rounds_min=2_048).plain == read.plain

    ours = pkcs8.seal(pkcs8.with_use(read.plain, "encrypt"), PASSPHRASE, form="openssl", rounds=65_536)
    text = pem.encode(ours, "ENCRYPTED PRIVATE KEY")
    assert openssl("pkey", "-passin", secret, "-pubout", "-outform", "DER", data=text) == point
    sec1 = openssl("ec", "-outform", "DER", data=plain)
    assert pkcs8.read_sec1(sec1) == read.plain
    unnamed = openssl("ec", "-no_public", "-outform", "DER", data=plain)
    assert pkcs8.read_sec1(unnamed) == read.plain


def test_a_key_that_is_not_sm2_is_bad_input() -> None:
    other = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    for text in (other, openssl("genpkey", "-algorithm", "ED25519")):
        with pytest.raises(BadInput, match="key-malformed"):
            pkcs8.read(pem.decode(text, "PRIVATE KEY"))
    with pytest.raises(BadInput):
        pkcs8.read_sec1(openssl("ec", "-outform", "DER", data=other))


def test_gmssl_signs_with_our_key() -> None:
    """The binding of GmSSL has no PEM: the number inside the opened file is what it gets."""
    gmssl = pytest.importorskip("gmssl_pyx", reason="gmssl-pyx is not installed")
    plain = pkcs8.open_(by_hand(), PASSPHRASE).plain
    signature = gmssl.sm2_sign(plain[36:68], plain[-64:], b"text")
    from crypto.sm2 import signature_from_der

    Sm2PrivateKey.from_pkcs8(plain).public.verify(b"text", signature_from_der(signature))


SEALED = by_hand()
INFO = pkcs8.with_use(KEY.pkcs8(), "sign")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([SEALED, INFO, KEY.pkcs8()]), st.data())
def test_mutations_are_refused_or_another_form_of_the_same_key(der: bytes, data: st.DataObject) -> None:
    changed = bytearray(der)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, 70))] ^= data.draw(st.integers(1, 255))
    try:
        if der == SEALED:
            pkcs8._recipe(bytes(changed), 1 << 22)
        else:
            pkcs8.read(bytes(changed))
    except (Refused, BadInput):
        return
    except LiuheError as error:
        pytest.fail(str(error))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_bad_input(data: bytes) -> None:
    for read in (pkcs8.read, pkcs8.read_sec1, lambda der: pkcs8.open_(der, PASSPHRASE)):
        with pytest.raises((BadInput, Refused)):
            read(data)
