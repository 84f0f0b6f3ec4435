"""Tiles: the published numbers, byte-exact hashes, finished files never rewritten; a stock tool agrees."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.ledger import Ledger, NewEvidence
from compliance.ledger_tiles import Tile, export_tiles, index_path, tile_bytes, tiles_of
from compliance.ledger_twin import Twin, twin_origin
from crypto import merkle
from crypto.keys import SigningKey
from crypto.note_ed25519 import Ed25519Key
from crypto.words import Refused

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DATA = Path(__file__).parents[2].parent / "shared/data/ledger"
ORIGIN = "log.example/evidence/sm3"
KEY = SigningKey.generate()


def test_the_published_numbers() -> None:
    if not DATA.is_dir():
        pytest.skip(f"no published facts at {DATA}")
    facts = json.loads((DATA / "c2sp/tlog-tiles.facts.json").read_text())
    for one in facts["tile_index_path"]:
        assert index_path(one["index"]) == one["path"]
    for tree in facts["tiles_of_tree"]:
        tiles = [tile for tile in tiles_of(tree["size"]) if tile.level >= 0]
        for row in tree["tiles"]:
            widths = [tile.width for tile in tiles if tile.level == row["level"]]
            assert widths.count(256) == row["full"]
            assert [width for width in widths if width < 256] == [row["partial_width"]] * bool(
                row["partial_width"]
            )
        assert {tile.level for tile in tiles} == {row["level"] for row in tree["tiles"]}


def test_the_published_log_has_these_files() -> None:
    log = DATA / "tessera-log"
    if not log.is_dir():
        pytest.skip(f"no sample log at {log}")
    for size in range(1, 16):
        tiles = list(tiles_of(size))
        assert [tile.path for tile in tiles] == [f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"]
        assert all((log / tile.path).exists() for tile in tiles)


@pytest.mark.parametrize(("size", "paths"), [(0, 0), (256, 3), (257, 5), (65_536, 256 + 1 + 1 + 256)])
def test_how_many(size: int, paths: int) -> None:
    assert len({tile.path for tile in tiles_of(size)}) == paths


def grown(ledger: Ledger, count: int) -> None:
    batch = [
        NewEvidence(kind="audit", actor="user:a", subject=f"s:{number}", summary="x", payload=b"")
        for number in range(count)
    ]
    ledger.append(batch, NOW)
    ledger.checkpoint(NOW)


def exported(ledger: Ledger, folder: Path) -> tuple[int, int]:
    latest = ledger.latest()
    assert latest is not None
    made = export_tiles(folder, latest.checkpoint.size, ledger.hashes.node, ledger.leaves, latest.raw)
    return made.written, made.kept


def test_growing_exports_write_each_finished_file_once(tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    with Ledger.open(tmp_path / "e", center="c", origin=ORIGIN, key=KEY) as ledger:
        grown(ledger, 300)
        assert exported(ledger, folder) == (5, 0)
        assert exported(ledger, folder) == (0, 5)
        before = (folder / "tile/0/000").stat().st_mtime_ns
        grown(ledger, 300)
        assert exported(ledger, folder) == (5, 2)  # level 0: 001 and 002.p, level 1, entries 001 and 002.p
        assert (folder / "tile/0/000").stat().st_mtime_ns == before
        frontier = merkle.Frontier()
        for tile in (folder / "tile/0/000", folder / "tile/0/001", folder / "tile/0/002.p/88"):
            data = tile.read_bytes()
            for at in range(0, len(data), 32):
                frontier.append(data[at : at + 32])
        assert frontier.root() == ledger.root(600)
        entries = (folder / "tile/entries/000").read_bytes()
        first = ledger.leaf(0)
        assert entries.startswith(len(first).to_bytes(2, "big") + first)
        (folder / "tile/0/000").write_bytes(bytes(8192))
        with pytest.raises(Refused, match="tile-differs"):
            exported(ledger, folder)


def test_a_tile_holds_the_subtrees_of_eight_levels() -> None:
    tile = Tile(2, 3, 5)
    asked: list[tuple[int, int]] = []
    tile_bytes(tile, lambda level, index: asked.append((level, index)) or bytes(32))  # type: ignore[func-returns-value]
    assert asked == [(16, 768 + place) for place in range(5)]


def test_the_twin_is_checked_by_a_stock_tool(tmp_path: Path) -> None:
    """Tessera's fsck, installed by ``go install github.com/transparency-dev/tessera/cmd/fsck@latest``."""
    fsck = shutil.which("fsck.tessera") or shutil.which("tessera-fsck")
    if not fsck:
        pytest.skip("no fsck.tessera on the path")
    key = Ed25519Key.create(tmp_path / "twin.pem")
    with Ledger.open(tmp_path / "e", center="c", origin=ORIGIN, key=KEY, twin=key) as ledger:
        grown(ledger, 700)
        twin = Twin(tmp_path / "e", ORIGIN, key)
        note = (tmp_path / "e/checkpoint.sha256").read_bytes()
        export_tiles(tmp_path / "tiles", 700, twin.hashes.node, ledger.leaves, note)
        twin.close()
    vkey = tmp_path / "key.vkey"
    vkey.write_text(key.verifier_line(twin_origin(ORIGIN)) + "\n")

    command = [fsck, f"--storage_url=file://{tmp_path / 'tiles'}/", f"--public_key={vkey}", "--ui=false"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
