"""Key files: mode, durability of the form, strict reading, never overwritten."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.keys import PublicKey, SigningKey
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
