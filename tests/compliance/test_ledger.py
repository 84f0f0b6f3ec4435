"""The writing side: sequences, durability, one writer, recovery of torn tails, refusal of damage."""

import errno
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from compliance import ledger_files
from compliance.evidence import leaf_bytes
from compliance.ledger import Ledger, LedgerReader, NewEvidence
from crypto import merkle
from crypto.keys import SigningKey
from crypto.note import Checkpoint, parse_note
from crypto.words import BadInput, LiuheError, Refused

NOW = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
OLD = Path(__file__).parent / "golden/ledger-1"
ORIGIN = "evidence.example/center-1/sm3"


@pytest.fixture(name="key", scope="module")
def _key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.create(tmp_path_factory.mktemp("keys") / "key.pem")


def entry(number: int, payload: bytes | None = None) -> NewEvidence:
    return NewEvidence(
        kind="evaluation",
        actor="system:checks",
        subject=f"check:{number}",
        summary=f"符合 {number}/{number}",
        payload=b'{"n":%d}' % number if payload is None else payload,
    )


def opened(folder: Path, key: SigningKey | None) -> Ledger:
    return Ledger.open(folder, center="center-1", origin=ORIGIN, key=key)


def test_append_read_and_prove(tmp_path: Path, key: SigningKey) -> None:
    with opened(tmp_path, key) as ledger:
        assert ledger.append([entry(0), entry(1)], NOW) == [0, 1]
        assert ledger.append([], NOW) == []
        assert ledger.append([entry(2)], NOW) == [2]
        assert ledger.size == 3
        record = ledger.record(2)
        assert record.sequence == 2
        assert record.time == NOW.replace(microsecond=0)
        assert ledger.payload_of(record) == b'{"n":2}'
        note = ledger.checkpoint(NOW)
        claimed = Checkpoint.parse(parse_note(note.encode()).text)
        assert claimed.root == ledger.root()
        assert claimed.size == 3
        assert claimed.extensions == (f"time {int(NOW.timestamp())}",)
        leaf = merkle.leaf_hash(leaf_bytes(record))
        merkle.verify_inclusion(leaf, 2, 3, ledger.inclusion(2, 3), claimed.root)
        merkle.verify_consistency(1, 3, ledger.root(1), claimed.root, ledger.consistency(1, 3))


def test_times_are_whole_seconds_of_utc(tmp_path: Path, key: SigningKey) -> None:
    beijing = NOW.astimezone(timezone(timedelta(hours=8)))
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(0), NewEvidence(**{**_fields(entry(1)), "time": beijing})], NOW)
        assert ledger.leaf(0).count(b'"2026-11-22T01:02:03Z"') == 1
        assert ledger.record(0).time == ledger.record(1).time


def _fields(of: NewEvidence) -> dict[str, object]:
    return {name: getattr(of, name) for name in of.__struct_fields__}


def test_page_is_newest_first_and_ends(tmp_path: Path, key: SigningKey) -> None:
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(number) for number in range(5)], NOW)
        first = ledger.page(None, 2)
        assert [row.index for row in first.rows] == [4, 3]
        assert first.rows[0].hash == merkle.leaf_hash(ledger.leaf(4))
        ledger.append([entry(5)], NOW)
        second = ledger.page(first.next, 2)
        assert [row.index for row in second.rows] == [2, 1]
        third = ledger.page(second.next, 2)
        assert ([row.index for row in third.rows], third.next) == ([0], None)


def test_same_appends_give_the_same_tree(tmp_path: Path, key: SigningKey) -> None:
    roots = []
    for name, sizes in (("a", [10]), ("b", [1] * 10), ("c", [3, 7])):
        with opened(tmp_path / name, key) as ledger:
            number = 0
            for size in sizes:
                ledger.append([entry(number + step) for step in range(size)], NOW)
                number += size
            roots.append(ledger.root())
    assert len(set(roots)) == 1


def test_one_writer_and_readers_see_only_what_is_signed(tmp_path: Path, key: SigningKey) -> None:
    with opened(tmp_path, key) as ledger:
        with pytest.raises(LiuheError, match="ledger-locked"):
            opened(tmp_path, key)
        ledger.append([entry(0)], NOW)
        reader = LedgerReader(tmp_path)
        assert reader.size == 0
        with pytest.raises(BadInput):
            reader.record(0)
        note = ledger.checkpoint(NOW)
        assert ledger.checkpoint(NOW + timedelta(hours=1)) == note
        ledger.append([entry(1)], NOW)
        assert (reader.size, reader.root(), reader.record(0)) == (1, ledger.root(1), ledger.record(0))
        assert reader.checkpoint_at(1) == note.encode()
        assert reader.checkpoint_at(2) is None
        assert reader.verify().ok
        reader.close()


def test_reopening_continues(tmp_path: Path, key: SigningKey) -> None:
    for round_ in range(4):
        with opened(tmp_path, key) as ledger:
            assert ledger.size == round_ * 3
            assert ledger.recovered is None
            ledger.append([entry(round_ * 3 + step) for step in range(3)], NOW)
            if round_ % 2:
                ledger.checkpoint(NOW)
    with opened(tmp_path, key) as ledger:
        assert ledger.verify().ok
        assert [ledger.record(index).subject for index in range(12)] == [f"check:{n}" for n in range(12)]


@pytest.mark.parametrize("cut", [1, 15, 16, 40])
def test_a_torn_tail_is_cut_and_kept_aside(tmp_path: Path, key: SigningKey, cut: int) -> None:
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(0), entry(1)], NOW)
        ledger.checkpoint(NOW)
        whole = (tmp_path / "leaves.log").read_bytes()
    torn = whole[16 : 16 + cut]  # the beginning of an entry, never finished
    (tmp_path / "leaves.log").write_bytes(whole + torn)
    with opened(tmp_path, key) as ledger:
        assert ledger.size == 2
        assert ledger.recovered is not None
        assert (tmp_path / "torn-2").read_bytes() == torn
        assert ledger.append([entry(2)], NOW) == [2]
        ledger.checkpoint(NOW)
        assert ledger.verify().ok


def test_index_and_hashes_behind_the_log_are_rebuilt(tmp_path: Path, key: SigningKey) -> None:
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(0)], NOW)
        ledger.checkpoint(NOW)
        ledger.append([entry(number) for number in range(1, 40)], NOW)
        root = ledger.root()
    os.truncate(tmp_path / "leaves.index", 8 + 3)
    os.truncate(tmp_path / "hashes", 32 + 7)
    with opened(tmp_path, key) as ledger:
        assert (ledger.size, ledger.root()) == (40, root)
        ledger.checkpoint(NOW)
        assert ledger.verify().ok


def test_all_hashes_lost_are_rebuilt_and_checked(tmp_path: Path, key: SigningKey) -> None:
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(number) for number in range(9)], NOW)
        ledger.checkpoint(NOW)
    os.truncate(tmp_path / "hashes", 0)
    os.truncate(tmp_path / "leaves.index", 0)
    with opened(tmp_path, key) as ledger:
        assert ledger.verify().ok


def test_a_lost_durable_leaf_is_damage_not_a_torn_tail(tmp_path: Path, key: SigningKey) -> None:
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(0), entry(1), entry(2)], NOW)
    log = tmp_path / "leaves.log"
    data = bytearray(log.read_bytes())
    data[-5] ^= 1
    log.write_bytes(data)
    with pytest.raises(LiuheError, match="ledger-damaged"):
        opened(tmp_path, key)
    assert log.read_bytes() == data
    with pytest.raises(LiuheError, match="ledger-damaged"):  # and the lock was given back
        opened(tmp_path, key)


def test_a_crash_between_the_checkpoint_files_is_mended(tmp_path: Path, key: SigningKey) -> None:
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(0)], NOW)
        old = ledger.checkpoint(NOW)
        ledger.append([entry(1)], NOW)
        new = ledger.checkpoint(NOW)
    (tmp_path / "checkpoint").write_text(old)
    with opened(tmp_path, key) as ledger:
        assert (tmp_path / "checkpoint").read_text() == new
        assert ledger.verify().size == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "gossip"),
        ("actor", ""),
        ("subject", "a\nb"),
        ("summary", "x" * 2000),
        ("summary", "\ud800"),
        ("time", datetime(2026, 1, 1)),  # noqa: DTZ001  # the mistake under test
    ],
)
def test_malformed_entries_record_nothing(tmp_path: Path, key: SigningKey, field: str, value: object) -> None:
    with opened(tmp_path, key) as ledger:
        wrong = NewEvidence(**{**_fields(entry(1)), field: value})  # type: ignore[arg-type]
        with pytest.raises(BadInput) as caught:
            ledger.append([entry(0), wrong], NOW)
        assert caught.value.field == f"entries[1].{field}"
        assert ledger.append([entry(0)], NOW) == [0]


def test_other_center_other_key_no_key(tmp_path: Path, key: SigningKey) -> None:
    opened(tmp_path / "e", key).close()
    with pytest.raises(BadInput, match="ledger-other"):
        Ledger.open(tmp_path / "e", center="center-2", origin=ORIGIN, key=key)
    with pytest.raises(Refused, match="ledger-other-key"):
        opened(tmp_path / "e", SigningKey.create(tmp_path / "k2.pem"))
    with opened(tmp_path / "e", None) as ledger:
        ledger.append([entry(0)], NOW)
        with pytest.raises(Refused, match="ledger-unsigned"):
            ledger.checkpoint(NOW)
    with pytest.raises(BadInput, match="origin"):
        Ledger.open(tmp_path / "f", center="c", origin="a b", key=key)
    with pytest.raises(LiuheError, match="ledger-missing"):
        LedgerReader(tmp_path / "nowhere")


def test_threads_share_the_ledger_without_holes(tmp_path: Path, key: SigningKey) -> None:
    taken: list[int] = []
    with opened(tmp_path, key) as ledger:

        def work(start: int) -> None:
            for step in range(20):
                taken.extend(ledger.append([entry(start + step)], NOW))

        threads = [threading.Thread(target=work, args=(number * 100,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ledger.checkpoint(NOW)
        assert sorted(taken) == list(range(120))
        assert ledger.verify().ok


def test_a_full_disk_records_nothing_and_recovers(
    tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(0)], NOW)
        real = os.pwrite
        log = ledger.leaves._log

        def short(file: int, data: bytes, offset: int) -> int:
            if file != log:
                return real(file, data, offset)
            if len(data) > 10:
                return real(file, data[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(ledger_files.os, "pwrite", short)
        with pytest.raises(LiuheError, match="ledger-disk"):
            ledger.append([entry(1), entry(2)], NOW)
        monkeypatch.undo()
        assert ledger.append([entry(3)], NOW) == [1]
        ledger.checkpoint(NOW)
        assert ledger.verify().ok


def test_after_a_failed_sync_nothing_is_accepted(
    tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with opened(tmp_path, key) as ledger:
        ledger.append([entry(0)], NOW)
        with monkeypatch.context() as patched:
            patched.setattr(ledger_files.os, "fdatasync", broken)
            with pytest.raises(LiuheError, match="ledger-disk"):
                ledger.append([entry(1)], NOW)
        with pytest.raises(LiuheError, match="ledger-disk"):
            ledger.append([entry(1)], NOW)
        assert ledger.size == 1


def test_sources_are_numbered_each_on_its_own_and_go_on_after_a_failure(
    tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def numbers(ledger: Ledger) -> list[tuple[object, object]]:
        records = map(ledger.record, range(ledger.size))
        return [(record.source, record.number) for record in records]

    gap = NewEvidence(
        kind="gap", source="gap/h-1", actor="sensor:h-1", subject="gap:1", summary="x", payload=b""
    )
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(0), gap, entry(1)], NOW)
        ledger.checkpoint(NOW)
        with monkeypatch.context() as broken:
            broken.setattr(os, "pwrite", lambda *_: _full())
            with pytest.raises(LiuheError, match="ledger-disk"):
                ledger.append([gap, entry(2)], NOW)
        ledger.append([entry(2)], NOW)
    with opened(tmp_path, key) as ledger:
        ledger.append([entry(3), gap], NOW)
        ledger.checkpoint(NOW)
        kind = "evaluation"
        assert numbers(ledger) == [(kind, 0), ("gap/h-1", 0), *((kind, n) for n in (1, 2, 3)), ("gap/h-1", 1)]
        assert ledger.verify().ok


def _full() -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_ledger_of_version_1_is_read_verified_and_continued(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "evidence"
    (tmp_path / "key.pem").chmod(0o600)
    reader = LedgerReader(folder)
    assert reader.verify().ok
    assert reader.payload_of(reader.record(1)) == b"p1"
    with Ledger.open(
        folder, center="c", origin="c.example/evidence/sm3", key=SigningKey.load(tmp_path / "key.pem")
    ) as ledger:
        assert ledger.size == 5
        ledger.append([entry(5), entry(6)], NOW)
        ledger.checkpoint(NOW)
        assert [ledger.payload_of(ledger.record(index)) for index in (4, 5, 6)] == [
            b"p4",
            b'{"n":5}',
            b'{"n":6}',
        ]
        outcome = ledger.verify()
        assert (outcome.ok, outcome.checked_payloads, outcome.size) == (True, 7, 7)
    assert reader.payload_of(reader.record(6)) == b'{"n":6}'
    reader.close()


_KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from compliance.ledger import Ledger, NewEvidence
from crypto.keys import SigningKey
folder = Path(sys.argv[1])
key = SigningKey.load(folder / "key.pem")
ledger = Ledger.open(folder / "evidence", center="c", origin="o", key=key)
now, number = datetime(2026, 11, 22, tzinfo=UTC), ledger.size
while True:
    batch = [NewEvidence(kind="audit", actor="system:t", subject=f"s:{number + i}", summary="x",
                         payload=b"%d" % (number + i)) for i in range(7)]
    ledger.append(batch, now)
    number += 7
    if number % 3 == 0:
        ledger.checkpoint(now)
    print(number, flush=True)
"""


@pytest.mark.slow
def test_killed_writers_lose_nothing_acknowledged(tmp_path: Path) -> None:
    key = SigningKey.create(tmp_path / "key.pem")
    acknowledged = 0
    for round_ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None
        for _ in range(3 + round_ * 4):
            acknowledged = int(child.stdout.readline())
        child.kill()
        rest = child.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else acknowledged
        child.wait()
        child.stdout.close()
        with Ledger.open(tmp_path / "evidence", center="c", origin="o", key=key) as ledger:
            assert ledger.size >= acknowledged
            ledger.checkpoint(NOW)
            assert ledger.verify().ok
            assert ledger.record(acknowledged - 1).subject == f"s:{acknowledged - 1}"
