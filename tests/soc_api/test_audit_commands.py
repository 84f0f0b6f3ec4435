"""`liuhe audit check` on files the audit page exported, with and without evidence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from soc_api.api_process import audit_feed
from soc_api.audit import GENESIS, chained, entry
from soc_api.audit_file import ROW_BYTES_MAX, read_file
from soc_api.cli import main

EXPORTS = ["kind=csv", "kind=csv&charset=gb18030", "kind=ndjson"]


class Files:
    """A center with some lines in its audit log and ledger, and what its auditor exported."""

    def __init__(self, world: Any, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.auditor = world.signed_in("audit_admin")
        for about in ("=1+1", "张三 的终端", "'=already", '-x,"y"', "'quoted'", "plain"):
            said = entry(time=world.now, actor="user:a", source="local", action="test.do", about=about)
            world.audit.record(said)

    def export(self, query: str = "kind=csv") -> Path:
        path = self.folder / f"export.{query[5:8]}"
        path.write_bytes(self.auditor("GET", f"/audit/export?{query}").content)
        return path

    def ledgered(self) -> Path:
        """Every line so far gets its leaf, under a checkpoint; the ledger's folder."""
        self.world.ledger.append([leaf for _, leaf in audit_feed(self.world.audit)(0)], self.world.now)
        self.world.ledger.checkpoint(self.world.now)
        return self.folder / "evidence"


@pytest.fixture(name="files")
def _files(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setenv("LIUHE_LANG", "en")
    return Files(world, tmp_path)


@pytest.fixture(name="check")
def _check(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    def run(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["audit", "check", "--json", *map(str, arguments)])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_exports_are_whole_by_themselves_and_as_the_ledger_holds_them(
    files: Files, check: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = files.ledgered()
    for taken, query in enumerate(EXPORTS, 1):
        path = files.export(query)
        code, said = check(path)
        assert (code, said["ok"], said["missing"], said["held"]) == (0, True, 0, 0)
        assert "user:audit-admin" in said["taken"]
        code, said = check(path, "--evidence", ledger, "--whole")
        assert (code, said["ok"], said["unheld"]) == (0, True, 2 * taken - 1)  # the exports themselves
        assert (said["first"], said["last"]) == (1, said["lines"])
        path = files.export(f"{query}&actor=user:a")
        code, said = check(path, "--evidence", ledger)
        assert (code, said["lines"], said["held"]) == (0, 6, 6)
        code, said = check(path, "--whole")
        assert (code, "missing" in said["findings"][0]["en"]) == (1, True)
    assert main(["audit", "check", str(path)]) == 0
    assert "agrees with itself" in capsys.readouterr().err


def test_a_changed_line_is_named(files: Files, check: Any) -> None:
    path = files.export("kind=ndjson")
    whole = path.read_bytes()
    for old, new, found in (
        ('"object":"plain"', '"object":"other"', "does not have the digest"),
        ('"format":2', '"format":1', "does not"),
        ('"sequence":3', '"sequence":2', "out of order"),
        ('"actor":"user:a"', '"actor":7', "is malformed"),
        ('"object":"plain"', f'"object":"{"x" * ROW_BYTES_MAX}"', "is malformed"),
    ):
        number = next(n for n, line in enumerate(whole.decode().splitlines(), 1) if old in line)
        path.write_bytes(whole.replace(old.encode(), new.encode(), 1))
        code, said = check(path)
        assert code == 1
        assert said["findings"][0]["en"].startswith(f"line {number} of the file")
        assert found in said["findings"][0]["en"]


def test_a_row_taken_out_or_put_in_shows(files: Files, check: Any) -> None:
    ledger = files.ledgered()
    path = files.export("kind=csv")
    rows = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(rows[:5] + rows[6:]))
    code, said = check(path, "--evidence", ledger)
    assert (code, said["missing"]) == (0, 1)  # as if something had been sought
    assert check(path, "--whole")[0] == 1
    path.write_bytes(b"".join(rows[:-2]))
    code, said = check(path, "--evidence", ledger, "--whole")
    assert (code, "the ledger holds line" in said["findings"][0]["en"]) == (1, True)


def test_a_file_made_anew_with_a_chain_that_holds_is_not_the_ledgers(files: Files, check: Any) -> None:
    ledger = files.ledgered()
    path = files.export("kind=ndjson")
    _, rows = read_file(path)
    lines, digest = [path.read_bytes().splitlines()[0]], GENESIS
    for placed in rows:
        assert placed.row is not None
        line = placed.row.line()
        said = json.loads(json.dumps({"object": line.entry.object.replace("plain", "forged")}))
        forged = entry(
            time=line.entry.time,
            actor=line.entry.actor,
            source=line.entry.source,
            action=line.entry.action,
            about=said["object"],
            result=line.entry.result,
            before=line.entry.before,
            after=line.entry.after,
        )
        previous, digest = digest, chained(digest, line.sequence, forged)
        row = {name: getattr(placed.row, name) for name in placed.row.__struct_fields__}
        row |= {"object": forged.object, "digest": digest, "previous": previous, "time": str(row["time"])}
        lines.append(json.dumps(row, ensure_ascii=False).encode())
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert check(path, "--whole")[0] == 0  # the chain alone does not tell
    code, said = check(path, "--evidence", ledger)
    assert code == 1
    assert "is not the line the ledger holds" in said["findings"][0]["en"]


def test_a_kit_is_evidence_too_if_it_holds(
    files: Files, check: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    files.ledgered()
    kit = files.folder / "kit.zip"
    command = ["evidence", "export", "--data", str(files.folder), "--output", str(kit), "--kind", "audit"]
    assert main(command) == 0
    path = files.export("kind=csv")
    code, said = check(path, "--evidence", kit, "--key", kit.with_suffix(".pem"))
    assert (code, said["unheld"]) == (0, 1)
    assert main(["audit", "check", str(path), "--evidence", str(kit)]) == 0
    assert "compare its fingerprint" in capsys.readouterr().err
    assert check(path, "--evidence", kit, "--key-id", "0" * 64)[0] == 1
    data = bytearray(kit.read_bytes())
    at = data.index(b'"kind":"audit"')
    data[at + 9] ^= 1
    kit.write_bytes(data)
    code, said = check(path, "--evidence", kit)
    assert (code, "the evidence does not hold" in said["findings"][0]["en"]) == (1, True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "audit-file"),
        (b"a,b\n1,2\n", "audit-file"),
        (b'{"watermark":1}\n', "audit-file"),
        (b"\xff" * 99, "audit-file"),
    ],
)
def test_another_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, code: str
) -> None:
    (tmp_path / "f").write_bytes(data)
    assert main(["audit", "check", str(tmp_path / "f")]) == 2
    assert code in capsys.readouterr().err


def test_another_folder_is_no_evidence(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(files.export())
    assert main(["audit", "check", path, "--evidence", str(files.folder / "packets")]) == 2
    assert main(["audit", "check", path, "--key-id", "0" * 64]) == 2
    (files.folder / "kit.zip").write_bytes(b"PK nothing")
    assert main(["audit", "check", path, "--evidence", str(files.folder / "kit.zip")]) == 2
    assert capsys.readouterr().err.count("audit-evidence") == 3
