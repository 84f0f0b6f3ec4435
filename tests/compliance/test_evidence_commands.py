"""``liuhe evidence``: exit codes, data on stdout, words on stderr."""

import argparse
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.evidence_commands import register
from compliance.ledger import Ledger, NewEvidence
from compliance.ledger_twin import twin_key
from compliance.witness_policy import Policy
from crypto.cosignature import Verifier, cosign
from crypto.keys import SigningKey
from crypto.note import parse_note, with_signatures
from crypto.words import BadInput, LiuheError

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Path:
    key = SigningKey.create(tmp_path / "data/keys/ledger.pem")
    with Ledger.open(tmp_path / "data/evidence", center="c", origin="o", key=key) as ledger:
        entry = NewEvidence(kind="audit", actor="system:t", subject="s", summary="x", payload=b"1")
        ledger.append([entry], NOW)
        ledger.checkpoint(NOW)
        ledger.append([entry], NOW)
    return tmp_path / "data"


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    options = parser.parse_args(["evidence", *map(str, words)])
    return int(options.run(options))


def test_verify(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")
    assert run("verify", "--data", data) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("VERIFIED: 1 leaves")
    assert run("verify", "--data", data, "--json", "--trusted", data / "evidence/checkpoint") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    log = data / "evidence/leaves.log"
    log.write_bytes(log.read_bytes().replace(b"system:t", b"system:u", 1))
    assert run("verify", "--data", data) == 1
    out, err = capsys.readouterr()
    assert out == "leaf 0: file leaves.log offset 16: CRC-32C differs\n"
    assert err.startswith("REFUSED")
    assert run("verify", "--data", data, "--json") == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["zh"].startswith("第 0 条")
    (data / "evidence/leaves.log").unlink()
    assert run("verify", "--data", data) == 1
    with pytest.raises(LiuheError, match="ledger-missing"):
        run("verify", "--data", data / "none")


def test_verify_with_a_key_kept_apart(data: Path, tmp_path: Path) -> None:
    assert run("verify", "--data", data, "--key", data / "evidence/public.pem") == 0
    SigningKey.create(tmp_path / "other.key").public.save(tmp_path / "other.pem")
    assert run("verify", "--data", data, "--key", tmp_path / "other.pem") == 1


def test_checkpoint(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("checkpoint", "--data", data) == 0
    assert capsys.readouterr().out == (data / "evidence/checkpoint").read_text()
    assert run("checkpoint", "--data", data, "--sign", "--json") == 0
    assert json.loads(capsys.readouterr().out)["size"] == 2


def test_export(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kit = tmp_path / "kit.zip"
    assert (
        run("export", "--data", data, "--output", kit, "--kind", "audit", "--since", "2026-11-01", "--json")
        == 0
    )
    assert json.loads(capsys.readouterr().out)["items"] == 1
    assert kit.exists()
    assert kit.with_suffix(".pem").exists()
    for words in (["--output", "kit.tar"], ["--output", tmp_path / "no/kit.zip"]):
        with pytest.raises(BadInput, match="output"):
            run("export", "--data", data, *words)
    with pytest.raises(BadInput, match="since"):
        run("export", "--data", data, "--output", kit, "--since", "gestern")


def test_keys_and_tiles(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twin = twin_key(data / "keys")
    key = SigningKey.load(data / "keys/ledger.pem")
    Ledger.open(data / "evidence", center="c", origin="o", key=key, twin=twin).close()
    SigningKey.create(data / "keys/witness.pem")
    assert run("checkpoint", "--data", data, "--sign", "--keys") == 0
    log, witness = capsys.readouterr().out.splitlines()
    assert Policy.parse(f"{log}\n{witness} https://c.example\nquorum c\n".encode()).witnesses["c"].url
    tiles = tmp_path / "tiles"
    assert run("checkpoint", "--data", data, "--tiles", tiles) == 0
    assert capsys.readouterr().out == (tiles / "sm3/checkpoint").read_text()
    for name in ("sm3", "sha256"):
        assert (tiles / name / "tile/0/000.p/2").stat().st_size == 64
        assert (tiles / name / "tile/entries/000.p/2").exists()
    assert (tiles / "sha256/checkpoint").read_text().startswith("o/sha256\n2\n")
    assert (tiles / "sha256.vkey").read_text().startswith("o/sha256+")


def test_a_kit_stands_on_what_a_quorum_cosigned(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    witness, folder = SigningKey.generate(), data / "witness"
    folder.mkdir()
    policy = f"witness w {Verifier('w.example', witness.public, True).line()}\nquorum w\n"
    (folder / "policy").write_text(policy)
    note = parse_note((data / "evidence/checkpoint").read_bytes())
    cosigned = with_signatures(note, [cosign(note.text, "w.example", witness, NOW)])
    (folder / "cosigned").write_bytes(cosigned.encode())
    older = tmp_path / "older"
    older.write_bytes(note.encode())
    older_folder = tmp_path / "rolled-back"
    shutil.copytree(data, older_folder)
    assert run("checkpoint", "--data", data, "--sign") == 0
    late = parse_note((data / "evidence/checkpoint").read_bytes())
    (older_folder / "witness/cosigned").write_bytes(late.encode())
    assert run("verify", "--data", data) == 0
    assert run("verify", "--data", older_folder) == 1  # what was cosigned once must still be there
    (older_folder / "witness/cosigned").write_bytes(b"x" + cosigned.encode())
    capsys.readouterr()
    assert run("verify", "--data", older_folder) == 1  # tampered with: a finding, not an error
    assert "witness/cosigned" in capsys.readouterr().out
    sizes = []
    for words in (["--json"], ["--json", "--newest", "--trusted", older]):
        assert run("export", "--data", data, "--output", tmp_path / "kit.zip", *words) == 0
        made = json.loads(capsys.readouterr().out)
        sizes.append((made["items"], made["size"], made["left_out"]))
        assert (made["policy"] is None) == ("--newest" in words)
    assert sizes == [(1, 1, 1), (2, 2, 0)]
    assert (tmp_path / "kit.policy").read_text() == policy


def test_verify_locates_a_key_that_cannot_be_read(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "evidence/public.pem").write_bytes(b"-----BEGIN")
    assert run("verify", "--data", data, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert "public.pem" in told["findings"][0]["en"]
