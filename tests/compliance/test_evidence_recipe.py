"""The OpenSSL recipe of the documentation, run as it stands there, against a kit."""

import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.evidence_export import Witnesses, export_kit
from compliance.ledger import Ledger, NewEvidence
from crypto.cosignature import cosign
from crypto.keys import SigningKey
from crypto.note import parse_note, with_signatures

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs/reference/evidence.md"
SIZE = 11


@pytest.fixture(name="kit", scope="module")
def _kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PAGE.exists():
        pytest.skip("no documentation in this checkout")
    version = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=False)
    if not re.match(r"OpenSSL [3-9]", version.stdout if shutil.which("openssl") else ""):
        pytest.skip("no openssl 3 here")
    folder = tmp_path_factory.mktemp("recipe")
    witness = SigningKey.generate()
    with Ledger.open(folder / "e", center="c", origin="o", key=SigningKey.generate()) as ledger:
        for number in range(SIZE):
            entry = NewEvidence(
                kind="audit", actor="user:a", subject=f"s:{number}", summary="摘要", payload=b"%d" % number
            )
            ledger.append([entry], NOW)
        note = parse_note(ledger.checkpoint(NOW).encode())
        note = with_signatures(note, [cosign(note.text, "w", witness, NOW)])
        made = export_kit(ledger, folder / "kit.zip", witnesses=Witnesses(b"", note))
    with zipfile.ZipFile(made.kit) as packed:
        packed.extractall(folder / "kit")
    made.key.rename(folder / "public.pem")
    found = re.search(r"```sh\n(# check\.sh.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    (folder / "check.sh").write_text(found[1])
    return folder


def _run(kit: Path, index: int) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(kit / "check.sh"), str(kit / "public.pem"), str(index)]
    return subprocess.run(command, cwd=kit / "kit", capture_output=True, text=True, check=False, timeout=60)


def test_a_sound_kit_passes(kit: Path) -> None:
    for index in (0, 7, SIZE - 1):
        done = _run(kit, index)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines() == [
            "Verified OK",
            f"record {index} is in the signed tree",
            "its payload is as recorded",
        ]


@pytest.mark.parametrize(
    "name", ["checkpoint", "items/000000000007.leaf", "items/000000000007.proof", "payload"]
)
def test_one_changed_byte_does_not(kit: Path, name: str) -> None:
    path = kit / "kit" / name
    if path.is_dir():
        path = next(one for one in path.iterdir() if one.read_bytes() == b"7")
    data = path.read_bytes()
    at = len(data) // 3
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert _run(kit, 7).returncode != 0
    path.write_bytes(data)
