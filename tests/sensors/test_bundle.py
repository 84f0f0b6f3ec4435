"""Bundles: what was signed is what is read, and anything else is refused before it counts."""

import io
import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.words import BadInput, LiuheError, Refused
from crypto.x509 import REQUEST, Certificate
from crypto.x509_issue import Subject, request_der
from sensors.bundle import MAGIC, File, Manifest, contents, make, open_manifest, order

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class World:
    """A center that signs, and two wheels."""

    def __init__(self, folder: Path) -> None:
        self.authority = LinkAuthority(folder / "keys")
        self.authority.create("city", NOW)
        self.key, self.chain = self.signer("city")
        self.wheels = [
            wheel(
                folder / "liuhe-1.2-py3-none-any.whl",
                {"crypto/a.py": b"a", "liuhe-1.2.dist-info/METADATA": b"m"},
            ),
            wheel(
                folder / "other-1-py3-none-any.whl",
                {"other/b.py": b"bb", "other-1.data/purelib/c.py": b"", "other-1.data/scripts/run": b"no"},
            ),
        ]

    def signer(self, name: str) -> tuple[SigningKey, tuple[Certificate, ...]]:
        key = SigningKey.generate()
        request = request_der(key, "center-sign", Subject(common_name=name, id=name))
        return key, self.authority.issue_signer(pem.encode(request, REQUEST), center=name, now=NOW)

    def bundle(self, version: str = "1.2", **more: object) -> bytes:
        out = io.BytesIO()
        values = {"center": "city", "key": self.key, "chain": self.chain} | more
        make(out, self.wheels, version=version, now=NOW, **values)  # type: ignore[arg-type]
        return out.getvalue()

    def read(self, data: bytes) -> dict[str, bytes]:
        source = io.BytesIO(data)
        manifest = open_manifest(source, self.authority.store(), NOW)
        return {file.name: content for file, content in contents(source, manifest)}


def wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("bundle"))


def test_it_holds_what_the_wheels_install_and_no_scripts(world: World) -> None:
    assert world.read(world.bundle()) == {
        "c.py": b"",
        "crypto/a.py": b"a",
        "liuhe-1.2.dist-info/METADATA": b"m",
        "other/b.py": b"bb",
    }


def test_a_changed_byte_is_refused_or_changes_nothing(world: World) -> None:
    """What nothing depends on is an issuer sent along that is known already, and the frame of its PEM."""
    good = world.bundle()
    meant = world.read(good)

    @settings(max_examples=30, deadline=None)
    @given(at=st.integers(0, len(good) - 1), bit=st.integers(0, 7))
    def changed(at: int, bit: int) -> None:
        wrong = bytearray(good)
        wrong[at] ^= 1 << bit
        try:
            read = world.read(bytes(wrong))
        except LiuheError:
            return
        assert read == meant

    changed()


def test_cut_and_lengthened_bundles_are_refused(world: World) -> None:
    good = world.bundle()
    for wrong in (b"", MAGIC, good[:100], good[:-1], good + b"x", MAGIC + struct.pack(">I", 1 << 31)):
        with pytest.raises(LiuheError):
            world.read(wrong)


def test_another_signer_is_refused(world: World, tmp_path: Path) -> None:
    key, chain = world.signer("other")
    with pytest.raises(Refused) as caught:
        world.read(world.bundle(key=key, chain=chain))
    assert caught.value.code == "bundle-foreign"
    with pytest.raises(Refused):
        world.read(World(tmp_path).bundle())


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/../b", "a//b", "a/./b", "a\x00", "", ".."])
def test_a_name_that_leads_elsewhere_is_refused_even_if_signed(world: World, name: str) -> None:
    manifest = Manifest(
        version="1.2",
        made=NOW,
        center="city",
        machine="any",
        python="3.11",
        files=[File(name=name, size=0, sm3="0" * 64)],
    )
    data = msgspec.msgpack.encode(manifest)
    sealed = {
        "manifest": data,
        "signature": world.key.sign(b"liuhe-bundle-1\0" + data),
        "chain": [one.pem().decode() for one in world.chain],
    }
    header = msgspec.msgpack.encode(sealed)
    with pytest.raises(BadInput):
        world.read(MAGIC + struct.pack(">I", len(header)) + header)


def test_versions_are_ordered_by_their_numbers() -> None:
    assert order("0.10") > order("0.9.9")
    assert order("1") == order("1.0.0")
    assert order("1.0rc1") == order("1.0")
    for wrong in ("", "1..2", "../1", "1.2.3.4.5", "v1"):
        with pytest.raises(BadInput):
            order(wrong)
