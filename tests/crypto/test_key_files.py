"""The folder of keys: rotation is recorded, old keys still open, uses never mix."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import keys, pkcs8
from crypto.key_files import REGISTER, KeyFolder, imported
from crypto.keys import DecryptionKey, SigningKey
from crypto.words import BadInput, LiuheError, Refused

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PASSPHRASE = bytearray(b"a long passphrase")


@pytest.fixture(autouse=True)
def _fewer_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pkcs8, "seal", _seal)


_SEAL = pkcs8.seal


def _seal(info: bytes, passphrase: bytearray, **options: object) -> bytes:
    return _SEAL(info, passphrase, **{**options, "rounds": pkcs8.ROUNDS_MIN})  # type: ignore[arg-type]


def test_make_use_and_list(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "deep" / "keys")
    assert folder.records() == ()
    record = folder.new("center-sign", "sign", PASSPHRASE, NOW)
    assert (record.name, record.use, record.created, record.replaced_by) == ("center-sign", "sign", NOW, "")
    assert folder.path.stat().st_mode & 0o777 == folder.path.parent.stat().st_mode & 0o777 == 0o700
    for path in (folder.private_path(record), folder.path / REGISTER):
        assert path.stat().st_mode & 0o777 == 0o600
    assert folder.needs_passphrase(record)
    key = folder.signing_key("center-sign", PASSPHRASE)
    public = folder.public(record)
    assert isinstance(public, keys.PublicKey)
    public.verify(b"text", key.sign(b"text"))
    assert folder.find(record.id[:12]) == record
    with pytest.raises(BadInput, match="key-encrypted"):
        folder.signing_key("center-sign", None)
    with pytest.raises(Refused, match="key-use"):
        folder.decryption_key("center-sign", PASSPHRASE)


def test_rotation_is_recorded_and_old_keys_still_open(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    made = [folder.new("inbox", "encrypt", None, NOW)]
    sealed = [folder.decryption_key("inbox", None).public.encrypt(b"one")]
    for at in (1, 2):
        made.append(folder.rotate("inbox", None, NOW + timedelta(days=at)))
        sealed.append(folder.decryption_key("inbox", None).public.encrypt(b"one"))
    records = folder.records()
    assert [one.id for one in records] == [one.id for one in made]
    assert [one.replaced_by for one in records] == [made[1].id, made[2].id, ""]
    assert records[0].replaced == made[1].created
    assert folder.find("inbox").id == made[2].id
    every = folder.decryption_keys("inbox", None)
    assert list(every) == [one.id for one in reversed(made)]
    assert [every[one.id].decrypt(data) for one, data in zip(made, sealed, strict=True)] == [b"one"] * 3
    with pytest.raises(Refused):
        every[made[0].id].decrypt(sealed[2])


def test_names_and_keys_are_not_taken_twice(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    folder.new("one", "sign", None, NOW)
    key = SigningKey.generate()
    folder.add("two", key, None, NOW)
    for step in (
        lambda: folder.new("one", "sign", None, NOW),
        lambda: folder.add("three", key, None, NOW),
        lambda: folder.add("one", DecryptionKey.generate(), None, NOW),
    ):
        with pytest.raises(Refused, match="key-taken"):
            step()
    for step in (lambda: folder.find("none"), lambda: folder.rotate("none", None, NOW)):
        with pytest.raises(Refused, match="key-unknown"):
            step()
    for name in ("", "../x", "UPPER", "a" * 64, "-a"):
        with pytest.raises(BadInput, match="key-name"):
            folder.new(name, "sign", None, NOW)
    replaced = folder.add("one", SigningKey.generate(), None, NOW)
    assert replaced.origin == "imported"
    assert folder.find("one") == replaced


def test_imports_keep_the_use_that_the_file_says(tmp_path: Path) -> None:
    key = DecryptionKey.generate()
    for form in ("gmssl", "openssl"):
        text = key.private_pem(PASSPHRASE, form=form)
        assert imported(text, PASSPHRASE, "encrypt").public.key_id == key.public.key_id
        with pytest.raises(Refused, match="key-use"):
            imported(text, PASSPHRASE, "sign")
    record = KeyFolder(tmp_path).add("inbox", key, None, NOW)
    assert record.use == "encrypt"


def test_a_swapped_key_file_is_noticed(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    one, two = folder.new("one", "sign", None, NOW), folder.new("two", "sign", None, NOW)
    folder.private_path(one).write_bytes(folder.private_path(two).read_bytes())
    with pytest.raises(LiuheError, match="key-swapped"):
        folder.signing_key("one", None)
    folder.private_path(one).chmod(0o644)
    with pytest.raises(LiuheError, match="key-exposed"):
        folder.signing_key("one", None)


def test_a_cut_short_making_leaves_the_register_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = KeyFolder(tmp_path)
    before = folder.new("one", "sign", None, NOW)

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keys, "replace_durably", full)
        with pytest.raises(OSError, match="No space"):
            folder.rotate("one", None, NOW)
    assert folder.records() == (before,)
    assert folder.rotate("one", None, NOW) == folder.find("one")


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=100), st.just(b'{"schema":2,"keys":[]}'), st.just(b'{"schema":1,"x":1}')))
def test_a_damaged_register_is_bad_input(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = KeyFolder(tmp_path_factory.mktemp("keys"))
    (folder.path / REGISTER).write_bytes(data)
    with pytest.raises(BadInput, match="key-register"):
        folder.records()
