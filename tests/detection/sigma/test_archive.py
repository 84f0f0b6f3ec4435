"""Archives of rules: what is wanted comes out whole, whatever is odd refuses the archive."""

import gzip
import io
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from detection.sigma import archive
from detection.sigma.archive import Release, read_archive

FILES = {
    "sigma-r2026/rules/windows/a.yml": b"title: a",
    "sigma-r2026/rules-compliance/b.yaml": b"title: b",
    "sigma-r2026/tests/c.yml": b"no rule",
    "sigma-r2026/LICENSE": b"DRL",
    "sigma-r2026/README.md": b"read",
}
WANTED = Release(
    {"rules/windows/a.yml": b"title: a", "rules-compliance/b.yaml": b"title: b"}, {"LICENSE": b"DRL"}
)


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def packed(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for member, data in members:
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    return path


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_archive(path)
    assert caught.value.code == "rules-archive"
    return caught.value.what.en


def test_both_forms_give_the_same(tmp_path: Path) -> None:
    one = read_archive(zipped(tmp_path / "a.zip", FILES))
    two = read_archive(packed(tmp_path / "a.tgz", *((tarfile.TarInfo(n), d) for n, d in FILES.items())))
    assert one == two == WANTED
    assert one.digest == two.digest != Release(WANTED.rules, {}).digest
    plain = read_archive(zipped(tmp_path / "b.zip", {"x.yml": b"title: x", "y/z.yml": b"title: z"}))
    assert set(plain.rules) == {"x.yml", "y/z.yml"}


@pytest.mark.parametrize(
    "name",
    [
        "../rules/a.yml",
        "/rules/a.yml",
        "rules/../../a.yml",
        "rules\\a.yml",
        "C:/a.yml",
        "r\n.yml",
        "a/" * 13 + "b.yml",
    ],
)
def test_a_path_that_leaves_its_folder_refuses_the_archive(tmp_path: Path, name: str) -> None:
    assert "path" in refused(zipped(tmp_path / "a.zip", {name: b"x"}))
    assert "path" in refused(packed(tmp_path / "a.tgz", (tarfile.TarInfo(name), b"x")))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_refuse_the_archive(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("rules/a.yml")
    member.type, member.linkname = kind, "/etc/passwd"
    assert "no plain file" in refused(packed(tmp_path / "a.tgz", (member, b"")))


def test_a_link_in_a_zip_refuses_it(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("rules/a.yml")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
    assert "no plain file" in refused(tmp_path / "a.zip")


def test_sizes_and_counts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = {"rules/a.yml": bytes(archive.FILE_BYTES_MAX + 1)}
    assert "bytes" in refused(zipped(tmp_path / "a.zip", big))
    members = [(tarfile.TarInfo(name), data) for name, data in big.items()]
    assert "bytes" in refused(packed(tmp_path / "a.tgz", *members))
    monkeypatch.setattr(archive, "UNPACKED_BYTES_MAX", 100_000)
    bomb = {"rules/a.yml": b"x", "other.bin": bytes(200_000)}
    assert "unpacked" in refused(zipped(tmp_path / "b.zip", bomb))
    members = [(tarfile.TarInfo(name), data) for name, data in bomb.items()]
    assert "unpacked" in refused(packed(tmp_path / "b.tgz", *members))
    monkeypatch.setattr(archive, "ENTRIES_MAX", 1)
    assert "entries" in refused(zipped(tmp_path / "c.zip", {"a.yml": b"", "b.yml": b""}))
    monkeypatch.setattr(archive, "ARCHIVE_BYTES_MAX", 10)
    assert "> 10 bytes" in refused(zipped(tmp_path / "d.zip", FILES))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent.zip")
    for data in (b"", b"text", b"PK\x03\x04rest", gzip.compress(b"no tar"), gzip.compress(b"x" * 9000)[:-9]):
        (tmp_path / "a").write_bytes(data)
        refused(tmp_path / "a")
    assert "no rule files" in refused(zipped(tmp_path / "b.zip", {"README.md": b""}))
    assert "one path" in refused(zipped(tmp_path / "c.zip", {"rules/a.yml": b"", "rules/A.yml": b""}))
    assert "one path" in refused(zipped(tmp_path / "d.zip", {"rules/a.yml": b"", "rules/a.yml/b.yml": b""}))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_archive_is_read_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    if data.draw(st.booleans()):
        path = zipped(folder / "a", FILES)
    else:
        path = packed(folder / "a", *((tarfile.TarInfo(n), d) for n, d in FILES.items()))
    whole = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    with suppress(BadInput):  # anything else is an error of ours
        release = read_archive(path)
        assert not any(".." in name or name.startswith("/") for name in release.rules | release.licences)
