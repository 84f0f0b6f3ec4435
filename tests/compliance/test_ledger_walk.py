"""Verification: one changed byte anywhere is found and located; rewriting with good CRCs is found too."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_world import KEY, NOW, SIZE, english, entry, filled, verified

from compliance.ledger import Ledger, LedgerReader, NewEvidence
from compliance.ledger_files import MAGIC_BYTES, Frame, FramedLog
from compliance.ledger_payloads import PACKED_BYTES_MAX, PAYLOADS_MAGIC
from compliance.ledger_reader import LEAF_BYTES_MAX, LEAVES_MAGIC
from crypto import merkle
from crypto.keys import PublicKey
from crypto.note_ed25519 import Ed25519Key
from crypto.words import LiuheError, Refused


@pytest.fixture(name="public")
def _public() -> PublicKey:
    return KEY.public


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return filled(tmp_path / "e")


def test_an_untouched_ledger_is_whole(folder: Path, public: PublicKey) -> None:
    heard: list[tuple[int, int]] = []
    reader = LedgerReader(folder, public=public)
    outcome = reader.verify(lambda done, of: heard.append((done, of)))
    assert outcome.ok
    assert not outcome.findings
    assert (outcome.size, outcome.checked_leaves, outcome.checked_payloads) == (SIZE, SIZE, SIZE)
    assert outcome.root == reader.root().hex()
    assert heard[-1] == (SIZE, SIZE)
    reader.close()


def test_every_flipped_byte_of_every_file_is_found(folder: Path, public: PublicKey) -> None:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        step = max(1, len(data) // 25)
        for at in {*range(0, len(data), step), len(data) - 1} if data else set():
            path.write_bytes(data[:at] + bytes((data[at] ^ 0x20,)) + data[at + 1 :])
            try:
                outcome = verified(folder, public)
            except LiuheError:
                assert path.name == "ledger.json"
                continue
            named = f"{path.name} byte {at}: {english(outcome)}"
            assert not outcome.ok, named
            if path.name != "ledger.json":  # a changed center name shows in every leaf instead
                assert path.name.split(".")[0] in named.split(": ", 1)[1], named
        path.write_bytes(data)
    assert verified(folder, public).ok


def test_the_leaf_is_named(folder: Path, public: PublicKey) -> None:
    log = folder / "leaves.log"
    data = bytearray(log.read_bytes())
    at = data.index("摘要 7".encode())
    data[at] ^= 1
    log.write_bytes(data)
    outcome = verified(folder, public)
    assert [finding.en for finding in outcome.findings] == [
        f"leaf 7: file leaves.log offset {data.rindex(b'{', 0, at) - 16}: CRC-32C differs"
    ]
    assert outcome.checked_leaves == SIZE - 1


def _rewrite(folder: Path, number: int, change: bytes, to: bytes, *, hashes: bool) -> None:
    """An insider's change: the leaf with its CRC, and the hashes above it as well."""
    log = FramedLog(folder, "leaves", LEAVES_MAGIC, data_bytes_max=LEAF_BYTES_MAX, writer=True)
    frames = [log.frame(index) for index in range(SIZE)]
    leaves = [frame.data for frame in frames]  # type: ignore[union-attr]
    assert change in leaves[number]
    assert len(change) == len(to)
    leaves[number] = leaves[number].replace(change, to)
    log.close()
    (folder / "leaves.log").unlink()
    (folder / "leaves.index").unlink()
    log = FramedLog(folder, "leaves", LEAVES_MAGIC, data_bytes_max=LEAF_BYTES_MAX, writer=True)
    log.append(list(enumerate(leaves)))
    log.close()
    if hashes:
        frontier, stored = merkle.Frontier(), b""
        for leaf in leaves:
            stored += b"".join(frontier.append(merkle.leaf_hash(leaf)))
        (folder / "hashes").write_bytes(stored)


def test_a_leaf_rewritten_with_its_crc_is_found(folder: Path, public: PublicKey) -> None:
    _rewrite(folder, 9, b"user:a", b"user:b", hashes=False)
    text = english(verified(folder, public))
    assert "leaf 9: file hashes" in text
    assert "the root at 12 differs" in text
    assert "leaves 4 to 11" in text


def test_a_leaf_rewritten_with_all_hashes_is_found_between_checkpoints(
    folder: Path, public: PublicKey
) -> None:
    _rewrite(folder, 9, b"user:a", b"user:b", hashes=True)
    text = english(verified(folder, public))
    assert "changed in leaves 4 to 11" in text


def test_records_of_another_sequence_or_center_are_found(folder: Path, public: PublicKey) -> None:
    _rewrite(folder, 9, b'"center":"c"', b'"center":"d"', hashes=True)
    assert "leaf 9: not the canonical record" in english(verified(folder, public))


def _reason(digest: str) -> NewEvidence:
    return NewEvidence(
        kind="deletion", actor="system:retention", subject=f"payload:{digest}", summary="到期", payload=b""
    )


def test_payloads_deleted_with_and_without_a_reason(
    folder: Path, public: PublicKey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Ledger.open(folder, center="c", origin="o", key=KEY) as ledger:
        large = NewEvidence(
            kind="audit", actor="user:a", subject="s", summary="s", payload=bytes(PACKED_BYTES_MAX + 1)
        )
        ledger.append([large], NOW)
        ledger.checkpoint(NOW)
        assert ledger.verify().ok
        gone = [ledger.record(5), ledger.record(SIZE)]
        for record in gone:
            ledger.payloads.delete(record)
        found = english(ledger.verify())
        assert "leaf 5: payload payloads.log offset" in found
        assert f"leaf {SIZE}: payload payload/" in found
        with pytest.raises(Refused, match="payload-deleted"):
            ledger.payload_of(gone[0])
        assert ledger.delete_payloads(gone, "system:retention", "到期", NOW) == [SIZE + 1, SIZE + 2]
        assert ledger.record(SIZE + 1).subject == f"payload:{gone[0].payload_sm3}"
        assert ledger.verify().ok
    assert verified(folder, public).ok


def test_a_deletion_record_excuses_no_altered_payload(
    folder: Path, public: PublicKey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Ledger.open(folder, center="c", origin="o", key=KEY) as ledger:
        record = ledger.record(7)
        ledger.append([_reason(record.payload_sm3)], NOW)
        ledger.checkpoint(NOW)
        found = ledger.payloads.packed(record)
        assert isinstance(found, Frame)
    log = FramedLog(folder, "payloads", PAYLOADS_MAGIC, data_bytes_max=PACKED_BYTES_MAX, writer=True)
    log.cut(7)
    log.append([(7, b"8")])
    log.close()
    assert "leaf 7: payload payloads.log" in english(verified(folder, public))


def test_a_leaf_that_is_no_text_is_found(folder: Path, public: PublicKey) -> None:
    _rewrite(folder, 9, b"user:a", b"user:\xf3", hashes=True)
    assert "leaf 9: not the canonical record" in english(verified(folder, public))


def test_a_number_left_out_is_found(folder: Path, public: PublicKey) -> None:
    _rewrite(folder, 9, b'"number":9', b'"number":8', hashes=True)
    text = english(verified(folder, public))
    assert "leaf 9: number 8 of source audit does not follow" in text


def test_the_numbering_must_match_its_leaves(folder: Path, public: PublicKey) -> None:
    path = folder / "sources.json"
    assert path.read_bytes() == b'{"size":23,"sources":{"audit":23}}\n'
    for wrong in (b'{"size":23,"sources":{"audit":22}}\n', b'{"size":22,"sources":{"audit":23}}\n', b"{}\n"):
        path.write_bytes(wrong)
        assert "sources.json" in english(verified(folder, public))


@pytest.fixture(name="whole", scope="module")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PublicKey]:
    """A ledger with everything one can have: packed and large payloads, several checkpoints, the twin."""
    folder, key = tmp_path_factory.mktemp("whole"), KEY
    twin = Ed25519Key.create(folder / "twin.pem")
    with Ledger.open(folder / "e", center="c", origin="o", key=key, twin=twin) as ledger:
        for number in range(SIZE):
            large = bytes([number]) * (PACKED_BYTES_MAX + 1) if number % 9 == 5 else b""
            ledger.append([entry(number) if not large else _large(large)], NOW)
            if number % 7 == 3:
                ledger.checkpoint(NOW)
        ledger.checkpoint(NOW)
    assert verified(folder / "e", key.public).ok
    return folder / "e", key.public


def _large(payload: bytes) -> NewEvidence:
    return NewEvidence(kind="report", actor="user:a", subject="s", summary="大", payload=payload)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_is_found_and_located(whole: tuple[Path, PublicKey], data: st.DataObject) -> None:
    folder, public = whole
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "ledger.json")
    path = data.draw(st.sampled_from([one for one in files if one.stat().st_size]))
    before = path.read_bytes()
    at, by = data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(1, 255))
    expected = _leaf_at(folder, public, path, at)
    path.write_bytes(before[:at] + bytes([before[at] ^ by]) + before[at + 1 :])
    try:
        outcome = verified(folder, public)
    finally:
        path.write_bytes(before)
    text = english(outcome)
    assert not outcome.ok, f"{path.name} {at}"
    assert path.name.split(".")[0] in text, f"{path.name} {at}: {text}"
    assert expected in text, f"{path.name} {at}: {text}"


def _leaf_at(folder: Path, public: PublicKey, path: Path, at: int) -> str:
    """How a finding names the record a byte belongs to; '' where it belongs to none."""
    if path.name not in ("leaves.log", "payloads.log") or at < MAGIC_BYTES:
        return ""
    reader = LedgerReader(folder, public=public)
    log = reader.leaves if path.name == "leaves.log" else reader.payloads.log()
    assert log is not None
    frames = [frame for frame in log.scan() if isinstance(frame, Frame)]
    reader.close()
    return next(f"leaf {frame.sequence}:" for frame in frames if at < frame.end)
