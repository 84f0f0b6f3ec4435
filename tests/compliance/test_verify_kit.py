"""The kit and its single-file verifier: accepted whole, refused on one flipped byte, its own SM2 and SM3."""

import ast
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance import verify_kit
from compliance.evidence_export import Witnesses, export_kit, verifier_source
from compliance.ledger import Ledger, NewEvidence
from crypto.cosignature import Verifier, cosign
from crypto.keys import SigningKey
from crypto.note import Note, parse_note, with_signatures
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


def test_it_is_one_file_that_imports_only_the_standard_library() -> None:
    tree = ast.parse(verifier_source())
    imports = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
        )
    }
    assert imports <= set(sys.stdlib_module_names)
    named = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(set(named)) == len(named)
    assert ast.get_docstring(tree) == verify_kit.__doc__.strip() if verify_kit.__doc__ else False


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


KEYS = {name: SigningKey.generate() for name in ("p", "a", "b")}
POLICY = "\n".join(
    [
        "# whose word counts",
        *(
            f"witness {name} {Verifier(f'{name}.example', key.public, True).line()}"
            for name, key in KEYS.items()
        ),
        "group near any a b",
        "group both all p near",
        "quorum both",
        "",
    ]
).encode()


def _cosigned(note: str, *names: str) -> Note:
    plain = parse_note(note.encode())
    return with_signatures(plain, [cosign(plain.text, f"{name}.example", KEYS[name], NOW) for name in names])


def _grown(folder: Path, *sizes: int) -> tuple[Ledger, list[str]]:
    key = SigningKey.create(folder / "key.pem")
    ledger = Ledger.open(folder / "evidence", center="c", origin="o.example/c", key=key)
    notes = []
    for size in sizes:
        entry = NewEvidence(kind="audit", actor="user:a", subject="s", summary="x", payload=b"%d" % size)
        ledger.append([entry] * (size - ledger.size), NOW)
        notes.append(ledger.checkpoint(NOW))
    return ledger, notes


def test_cosignatures_are_held_against_the_policy(
    tmp_path: Path, result: Callable[..., tuple[int, str]]
) -> None:
    ledger, notes = _grown(tmp_path, 5, 9)
    with ledger:
        made = export_kit(
            ledger, tmp_path / "k.zip", witnesses=Witnesses(POLICY, _cosigned(notes[0], "p", "b"))
        )
        poor = export_kit(
            ledger, tmp_path / "poor.zip", witnesses=Witnesses(POLICY, _cosigned(notes[0], "a", "b"))
        )
        plain = export_kit(ledger, tmp_path / "plain.zip")
    assert (made.items, made.size, made.left_out) == (5, 5, 4)
    assert made.policy is not None
    assert made.policy.read_bytes() == POLICY
    code, text = result(made.kit, "--key", made.key, "--policy", made.policy)
    assert code == 0
    assert "2026-11-22T00:00:00Z" in text
    assert result(made.kit, "--key", made.key)[0] == 0
    for kit in (poor.kit, plain.kit):
        assert result(kit, "--key", made.key)[0] == 0
        assert result(kit, "--key", made.key, "--policy", made.policy)[0] == 1
    for wrong in (
        POLICY.replace(b"quorum both", b"quorum all"),
        POLICY.replace(b"quorum both\n", b""),
        POLICY.replace(b"any a b", b"3 a b"),
        POLICY.replace(b"a.example+", b"x.example+"),
        POLICY.replace(b"group near", b"gruppe near"),
        b"\xff",
    ):
        (tmp_path / "wrong.policy").write_bytes(wrong)
        assert result(made.kit, "--key", made.key, "--policy", tmp_path / "wrong.policy")[0] == 1, wrong
    (tmp_path / "none.policy").write_bytes(b"quorum none\n")
    assert result(plain.kit, "--key", made.key, "--policy", tmp_path / "none.policy")[0] == 0


def test_what_an_earlier_visit_kept_must_still_be_there(
    tmp_path: Path, result: Callable[..., tuple[int, str]]
) -> None:
    sizes = (1, 2, 3, 4, 7, 8, 12)
    ledger, notes = _grown(tmp_path, *sizes)
    kept = [tmp_path / f"kept-{size}" for size in sizes]
    for path, note in zip(kept, notes, strict=True):
        path.write_text(note)
    with ledger:
        made = export_kit(ledger, tmp_path / "k.zip", trusted=[path.read_bytes() for path in kept])
        bare = export_kit(ledger, tmp_path / "bare.zip")
    options = [option for path in kept for option in ("--trusted", path)]
    assert result(made.kit, "--key", made.key, *options)[0] == 0
    assert result(bare.kit, "--key", made.key, "--trusted", kept[-1])[0] == 0
    assert result(bare.kit, "--key", made.key, "--trusted", kept[0])[0] == 1
    folder = _unpacked(made.kit, tmp_path / "kit")
    for size in sizes[:-1]:
        path = folder / f"trusted/{size}.proof"
        data = path.read_bytes()
        for wrong in (data[:-45], data + data[-45:], data.replace(data[:1], b"_", 1), data[1:]):
            path.write_bytes(wrong)
            assert result(folder, "--trusted", tmp_path / f"kept-{size}")[0] == 1, (size, wrong)
        path.write_bytes(data)
    assert result(folder, *options)[0] == 0


def test_a_deleted_payload_needs_its_deletion_record(
    tmp_path: Path, result: Callable[..., tuple[int, str]]
) -> None:
    ledger, _ = _grown(tmp_path, 1, 2, 3)
    with ledger:
        ledger.delete_payloads([ledger.record(1)], "system:retention", "到期", NOW)
        made = export_kit(ledger, tmp_path / "k.zip", kinds={"audit"})
        assert made.items == 4  # the deletion record comes along
        lost = ledger.record(2)
        ledger.payloads.delete(lost)
        excused = export_kit(ledger, tmp_path / "lost.zip", kinds={"audit"})
    assert result(made.kit, "--key", made.key)[0] == 0
    code, text = result(excused.kit, "--key", made.key)
    assert (code, "2" in text) == (1, True)
    folder = _unpacked(made.kit, tmp_path / "kit")
    manifest = json.loads((folder / "manifest.json").read_text())
    for wrong in ({"deleted": [0, 1]}, {"deleted": []}, {"deleted": [7]}):
        (folder / "manifest.json").write_text(json.dumps(manifest | wrong))
        assert result(folder)[0] == 1, wrong
