"""The kit and its single-file verifier: accepted whole, refused on one flipped byte, its own SM2 and SM3."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance import verify_kit
from compliance.evidence_export import export_kit
from compliance.ledger import Ledger, NewEvidence
from crypto.keys import SigningKey
from crypto.sm2 import Sm2PrivateKey
from crypto.sm3 import sm3
from crypto.words import Refused

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SIZE = 21


@pytest.fixture(name="kit", scope="module")
def _kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    key = SigningKey.create(folder / "key.pem")
    with Ledger.open(folder / "evidence", center="c", origin="o.example/c", key=key) as ledger:
        for number in range(SIZE):
            ledger.append(
                [
                    NewEvidence(
                        kind="audit" if number % 2 else "report",
                        actor="user:a",
                        subject=f"s:{number}",
                        summary=f"摘要 {number}",
                        payload=b"payload %d" % (number // 3),
                    )
                ],
                NOW.replace(hour=number),
            )
        with pytest.raises(Refused, match="export-empty"):
            export_kit(ledger, folder / "none.zip")
        ledger.checkpoint(NOW)
        made = export_kit(ledger, folder / "kit.zip", kinds={"audit"}, since=NOW.replace(hour=5))
        assert (made.items, made.size, made.key_id) == (8, SIZE, key.public.key_id)
        again = export_kit(ledger, folder / "again.zip", kinds={"audit"}, since=NOW.replace(hour=5))
        assert again.kit.read_bytes() == made.kit.read_bytes()
        with pytest.raises(Refused, match="export-empty"):
            export_kit(ledger, folder / "none.zip", kinds={"gap"})
        assert not (folder / "none.zip").exists()
    return made.kit


def _unpacked(kit: Path, folder: Path) -> Path:
    with zipfile.ZipFile(kit) as packed:
        packed.extractall(folder)
    return folder


def _alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the kit's own verifier, isolated from everything of ours."""
    return subprocess.run(
        [sys.executable, "-I", str(folder / "verify.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"LIUHE_LANG": "en"},
    )


@pytest.mark.slow
def test_the_verifier_runs_alone(kit: Path, tmp_path: Path) -> None:
    folder = _unpacked(kit, tmp_path / "kit")
    key = str(kit.with_suffix(".pem"))
    for arguments in ([str(kit)], [str(folder)], [str(kit), "--key", key], [str(kit), "--pure"]):
        done = _alone(folder, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "8 records belong to the tree of 21" in done.stdout
        assert done.stdout.endswith("RESULT: VERIFIED\n")
    assert _alone(folder, str(kit), "--key-id", "00").returncode == 1
    assert _alone(folder, str(tmp_path / "none.zip")).returncode == 1
    assert _alone(folder).returncode == 2
    packed = bytearray(kit.read_bytes())
    packed[packed.index(b"payload 5")] ^= 1
    (tmp_path / "flipped.zip").write_bytes(packed)
    flipped = _alone(folder, str(tmp_path / "flipped.zip"))
    assert (flipped.returncode, flipped.stderr) == (1, "")
    assert flipped.stdout.endswith("RESULT: REFUSED\n")


def test_it_imports_only_the_standard_library() -> None:
    source = Path(verify_kit.__file__).read_text()
    imports = {
        line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    assert imports <= set(sys.stdlib_module_names)


@pytest.fixture(name="result")
def _result(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*arguments: object) -> tuple[int, str]:
        code = verify_kit.main([str(argument) for argument in arguments])
        return code, capsys.readouterr().out

    return run


def test_every_flipped_byte_is_refused(
    kit: Path, tmp_path: Path, result: Callable[..., tuple[int, str]]
) -> None:
    folder = _unpacked(kit, tmp_path / "kit")
    assert result(folder)[0] == 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        for at in {len(data) // 3, len(data) - 1}:
            path.write_bytes(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
            code, text = result(folder, "--key", kit.with_suffix(".pem"))
            if path.name != "public.pem":
                assert code == 1, f"{path.name} {at} {text}"
            assert result(folder)[0] == 1, f"{path.name} {at}"
        path.write_bytes(data)


def test_every_flipped_byte_of_the_zip_is_refused_or_harmless(
    kit: Path, tmp_path: Path, result: Callable[..., tuple[int, str]]
) -> None:
    whole = kit.read_bytes()
    with zipfile.ZipFile(kit) as packed:
        checked = [
            (info.header_offset + 30 + len(info.filename), info.compress_size) for info in packed.infolist()
        ]
    path = tmp_path / "flipped.zip"
    for start, length in checked:
        for at in (start, start + length - 1):
            path.write_bytes(whole[:at] + bytes((whole[at] ^ 0x10,)) + whole[at + 1 :])
            assert result(path)[0] == 1
    for at in range(0, len(whole), max(1, len(whole) // 80)):
        path.write_bytes(whole[:at] + bytes((whole[at] ^ 0x10,)) + whole[at + 1 :])
        result(path)  # never a traceback


def test_removed_and_added_files_are_refused(
    kit: Path, tmp_path: Path, result: Callable[..., tuple[int, str]]
) -> None:
    folder = _unpacked(kit, tmp_path / "kit")
    leaf = folder / "items/000000000005.leaf"
    (folder / "items/000000000006.leaf").write_bytes(leaf.read_bytes())
    assert result(folder)[0] == 1
    (folder / "items/000000000006.leaf").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    for change in (
        {"items": manifest["items"][1:]},
        {"size": 20},
        {"center": "d"},
        {"items": "x"},
        {"items": [99]},
        {"files": {}},
    ):
        (folder / "manifest.json").write_text(json.dumps(manifest | change))
        assert result(folder)[0] == 1, change
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert result(folder)[0] == 0
    leaf.unlink()
    assert result(folder)[0] == 1


def test_another_key_is_refused(kit: Path, tmp_path: Path, result: Callable[..., tuple[int, str]]) -> None:
    SigningKey.create(tmp_path / "other.key").public.save(tmp_path / "other.pem")
    assert result(kit, "--key", tmp_path / "other.pem")[0] == 1


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_its_sm3_is_sm3(data: bytes) -> None:
    assert verify_kit.sm3_pure(data) == sm3(data)


KEY = Sm2PrivateKey.generate()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=50), st.integers(0, 511))
def test_its_sm2_agrees(message: bytes, bit: int) -> None:
    signature = KEY.sign(message)
    point = KEY.public.point
    assert verify_kit.sm2_verify(point, message, signature, sm3)
    assert not verify_kit.sm2_verify(point, message + b".", signature, sm3)
    flipped = (int.from_bytes(signature, "big") ^ (1 << bit)).to_bytes(64, "big")
    assert not verify_kit.sm2_verify(point, message, flipped, sm3)
    assert not verify_kit.sm2_verify(point[:-1] + bytes((point[-1] ^ 1,)), message, signature, sm3)
    assert not verify_kit.sm2_verify(point, message, bytes(64), sm3)
    assert not verify_kit.sm2_verify(point, message, signature[:-1], sm3)
