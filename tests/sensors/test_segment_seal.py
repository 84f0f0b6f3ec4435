"""Payloads at rest are bound to key, segment and place; keys come from a file that is never half."""

from pathlib import Path

import pytest

from crypto.words import BadInput, LiuheError, Refused
from sensors.segment_header import NO_KEY, Header
from sensors.segment_seal import KEY_FILE, NO_KEYS, Keys, key_id, load_keys

KEYS = Keys([bytes(16), bytes(range(16))], sealing=True)
HEADER = Header("bulk", 1, 1, 0, 77, version=2, key_id=KEYS.current, pack_salt=78)


def test_what_is_sealed_opens_at_its_place_only() -> None:
    seal = KEYS.frames(HEADER)
    other = KEYS.frames(HEADER._replace(salt=78))
    blocks = KEYS.blocks(HEADER)
    assert seal is not None
    assert other is not None
    assert blocks is not None
    sealed = seal.seal(5, 1, b"payload")
    assert b"payload" not in sealed
    assert seal.open(5, 1, sealed) == b"payload"
    for opening, sequence, flags in ((seal, 6, 1), (seal, 5, 0), (other, 5, 1), (blocks, 5, 1)):
        with pytest.raises(Refused):
            opening.open(sequence, flags, sealed)


def test_the_last_key_seals_and_all_open() -> None:
    assert KEYS.current == key_id(bytes(range(16)))
    assert Keys([bytes(16)]).current == NO_KEY
    assert NO_KEYS.frames(HEADER._replace(key_id=NO_KEY)) is None
    assert KEYS.frames(HEADER._replace(key_id=key_id(bytes(16)))) is not None
    with pytest.raises(LiuheError) as caught:
        NO_KEYS.frames(HEADER)
    assert caught.value.code == "log-key-missing"


def test_keys_are_made_once_and_read_again(tmp_path: Path) -> None:
    assert load_keys(tmp_path, sealing=False) is NO_KEYS
    made = load_keys(tmp_path, sealing=True)
    path = tmp_path / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_keys(tmp_path, sealing=True).current == made.current != NO_KEY
    assert load_keys(tmp_path, sealing=False).current == NO_KEY
    path.write_bytes(path.read_bytes() + b"00" * 16 + b"\n")
    assert load_keys(tmp_path, sealing=True).current == key_id(bytes(16))
    assert load_keys(tmp_path, sealing=True).frames(HEADER._replace(key_id=made.current)) is not None
    for bad in (b"xyz\n", b"00\n", b"\xff\xfe"):
        path.write_bytes(bad)
        with pytest.raises(BadInput):
            load_keys(tmp_path, sealing=True)
