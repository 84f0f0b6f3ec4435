"""Tests of soc_api.audit_check: lines and leaves side by side, each in their order."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.sm3 import sm3_hex
from soc_api.audit import GENESIS, Line, chained, entry
from soc_api.audit_check import FINDINGS_MAX, Leaf, check_file
from soc_api.audit_file import told
from soc_api.export_stream import Mark, ndjson_pieces

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MARK = Mark(person="user:a", time=NOW, center="c", about="audit")


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> tuple[Path, list[Leaf]]:
    """A file of six lines and the leaves of the first five."""
    rows, leaves, digest = [], [], GENESIS
    for number in range(1, 7):
        said = entry(time=NOW, actor="user:a", source="local", action="test.do", about=str(number))
        previous, digest = digest, chained(digest, number, said)
        rows.append(told(Line(sequence=number, entry=said, digest=digest), previous))
        leaves.append((number, sm3_hex(digest.encode())))
    (tmp_path / "f").write_bytes(b"".join(ndjson_pieces(rows, MARK)))
    return tmp_path / "f", leaves[:5]


def said(log: tuple[Path, list[Leaf]], leaves: list[Leaf]) -> list[str]:
    return [one.en for one in check_file(log[0], iter(leaves)).findings]


def test_what_lies_outside_the_evidence_is_counted(log: tuple[Path, list[Leaf]]) -> None:
    path, leaves = log
    checked = check_file(path, iter(leaves[2:]))
    assert (checked.ok, checked.held, checked.unheld, checked.lines) == (True, 3, 3, 6)
    assert check_file(path, iter(())).unheld == 6


def test_leaves_that_are_missing_twice_or_others_show(log: tuple[Path, list[Leaf]]) -> None:
    leaves = log[1]
    assert said(log, leaves[:2] + leaves[3:]) == [
        "line 4 of the file (line 3 of the log) has no leaf in the ledger, though later ones have"
    ]
    assert said(log, [*leaves, leaves[1]]) == [
        "the ledger holds line 2 of the audit log twice, or out of order"
    ]
    assert said(log, [leaves[0], (2, "0" * 64)]) == [
        "line 3 of the file (line 2 of the log) is not the line the ledger holds"
    ]


def test_a_file_of_nothing_but_faults_ends_soon(log: tuple[Path, list[Leaf]]) -> None:
    path, _ = log
    with path.open("ab") as file:
        file.write(b"{}\n" * 100_000)
    assert len(check_file(path).findings) == FINDINGS_MAX
