"""Key files: mode, durability of the form, strict reading, never overwritten."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import keys, pkcs8
from crypto.keys import DecryptionKey, EncryptionKey, PublicKey, SigningKey
from crypto.sm2 import Sm2PrivateKey
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Refused

PUBLIC = PublicKey(Sm2PrivateKey.generate().public)


def test_create_load_sign_verify(tmp_path: Path) -> None:
    path = tmp_path / "keys/evidence.key.pem"
    key = SigningKey.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    again = SigningKey.load(path)
    assert again.public.key_id == key.public.key_id == sm3_hex(key.public.spki())
    key.public.save(tmp_path / "public.pem")
    key.public.save(tmp_path / "public.pem")
    public = PublicKey.load(tmp_path / "public.pem")
    public.verify(b"text", again.sign(b"text"))
    with pytest.raises(Refused):
        public.verify(b"text.", again.sign(b"text"))


def test_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    SigningKey.create(path)
    before = path.read_bytes()
    with pytest.raises(Refused, match="key-exists"):
        SigningKey.create(path)
    with pytest.raises(Refused, match="key-exists"):
        SigningKey.create(tmp_path / "b.pem").public.save(path)
    assert path.read_bytes() == before


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    SigningKey.create(path)
    path.chmod(0o640)
    with pytest.raises(LiuheError, match="key-exposed"):
        SigningKey.load(path)


def test_missing_and_encrypted_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(LiuheError, match="key-unreadable"):
        SigningKey.load(tmp_path / "none.pem")
    path = tmp_path / "locked.pem"
    path.write_bytes(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    path.chmod(0o600)
    with pytest.raises(BadInput, match="key-encrypted"):
        SigningKey.load(path)


def test_an_encrypted_file_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    secret = bytearray(b"a long passphrase")
    path = tmp_path / "a.pem"
    key = SigningKey.create(path, secret)
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert SigningKey.load(path, secret).public.key_id == key.public.key_id
    with pytest.raises(Refused, match="key-passphrase"):
        SigningKey.load(path, bytearray(b"another passphrase"))
    with pytest.raises(BadInput, match="key-encrypted"):
        SigningKey.load(path)


def test_signing_and_encrypting_never_mix(tmp_path: Path) -> None:
    signing, inbox = tmp_path / "sign.pem", tmp_path / "inbox.pem"
    SigningKey.create(signing)
    key = DecryptionKey.create(inbox)
    with pytest.raises(Refused, match="key-use"):
        DecryptionKey.load(signing)
    with pytest.raises(Refused, match="key-use"):
        SigningKey.load(inbox)
    key.public.save(tmp_path / "public.pem")
    sealed = EncryptionKey.load(tmp_path / "public.pem").encrypt(b"content key")
    assert DecryptionKey.load(inbox).decrypt(sealed) == b"content key"
    with pytest.raises(Refused):
        key.decrypt(sealed[:-1] + bytes((sealed[-1] ^ 1,)))
    assert not hasattr(key, "sign")
    assert not hasattr(key.public, "verify")


def test_an_old_file_that_says_no_use_signs_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "old.pem"
    path.write_bytes(keys.pem.encode(Sm2PrivateKey.generate().pkcs8(), "PRIVATE KEY"))
    path.chmod(0o600)
    SigningKey.load(path).sign(b"text")
    with pytest.raises(Refused, match="key-use"):
        DecryptionKey.load(path)


def test_another_identity_is_another_signature() -> None:
    key = SigningKey.generate()
    signature = key.sign(b"text", user_id=b"ALICE123@YAHOO.COM")
    key.public.verify(b"text", signature, user_id=b"ALICE123@YAHOO.COM")
    with pytest.raises(Refused):
        key.public.verify(b"text", signature)


def test_files_appear_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(keys.os, "fsync", fails)
        with pytest.raises(OSError, match="Input"):
            SigningKey.create(tmp_path / "a.pem")
    assert not (tmp_path / "a.pem").exists()

    def no_links(*given: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(keys.os, "link", no_links)
    SigningKey.create(tmp_path / "b.pem")
    with pytest.raises(Refused, match="key-exists"):
        SigningKey.create(tmp_path / "b.pem")
    assert [path.name for path in tmp_path.iterdir()] == ["b.pem"]


def test_a_file_too_large_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "big.pem"
    path.write_bytes(b"x" * (keys.PEM_BYTES_MAX + 1))
    with pytest.raises(BadInput, match="key-malformed"):
        SigningKey.load(path)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from(["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", ""])
)
def test_damaged_private_keys_are_bad_input_or_refused(data: bytes, label: str) -> None:
    text = keys.pem.encode(data, label) if label else data
    with pytest.raises((BadInput, Refused)):
        keys.read_private(text, bytearray(b"x"), rounds_min=pkcs8.ROUNDS_IMPORT_MIN)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 176), st.integers(1, 255))
def test_any_changed_byte_of_a_public_key_is_refused_or_another_key(at: int, change: int) -> None:
    pem = bytearray(PUBLIC.pem())
    pem[at] ^= change
    try:
        assert PublicKey.from_pem(bytes(pem)).key_id == PUBLIC.key_id
        assert bytes(pem).split() == PUBLIC.pem().split()
    except BadInput:
        pass
