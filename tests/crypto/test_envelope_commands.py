"""``liuhe cert seal|open``: messages of GB/T 35275 between two centers, and what is refused."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from transfer_world import Authorities

from crypto.key_files import KeyFolder
from soc_api.cli import main


class Desk(NamedTuple):
    """A folder with keys, certificates, trust and a file."""

    folder: Path
    made: Authorities

    def run(self, *words: object, code: int = 0) -> None:
        assert main(["cert", *map(str, words)]) == code, words

    def seal(self, *more: object, code: int = 0) -> Path:
        out = self.folder / f"message-{len(list(self.folder.iterdir()))}"
        keys = ("--keys", self.folder / "keys", "--key", "sign", "--output", out)
        self.run("seal", self.folder / "report.txt", *keys, *more, code=code)
        return out

    def open(self, message: Path, *more: object, code: int = 0) -> None:
        self.run("open", message, "--trust", self.folder / "trust", *more, code=code)

    @property
    def to(self) -> tuple[object, ...]:
        return ("--to", self.folder / "to.pem", "--trust", self.folder / "trust")

    @property
    def key(self) -> tuple[object, ...]:
        return ("--keys", self.folder / "keys", "--key", "open")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Authorities(datetime.now(UTC))
    keys = KeyFolder(tmp_path / "keys")
    keys.new("sign", "sign", None, made.now)
    keys.new("open", "encrypt", None, made.now)
    made.certify(keys, "sign", "center-sign", "city-1")
    leaf = made.certify(keys, "open", "center-encrypt", "province-1")
    (tmp_path / "to.pem").write_bytes(leaf.pem() + made.issuer.pem())
    made.trust(tmp_path / "trust")
    (tmp_path / "report.txt").write_text("月报\n" * 100, "utf-8")
    return Desk(tmp_path, made)


@pytest.mark.parametrize("form", ["standard", "gmssl"])
def test_sealed_to_somebody_and_opened(desk: Desk, capsys: pytest.CaptureFixture[str], form: str) -> None:
    message = desk.seal(*desk.to, "--form", form)
    assert "月报".encode() not in message.read_bytes()
    desk.open(message, *desk.key, "--output", desk.folder / "out", "--kind", "center-sign")
    assert (desk.folder / "out").read_bytes() == (desk.folder / "report.txt").read_bytes()
    assert capsys.readouterr().out == "center:city-1@gov\n"
    desk.open(message, *desk.key, "--output", desk.folder / "out", code=2)  # never over what is there
    desk.open(message, code=2)
    desk.open(message, "--keys", desk.folder / "keys", "--key", "sign", code=2)


def test_signed_alone_and_detached(desk: Desk) -> None:
    attached, detached = desk.seal(), desk.seal("--detached")
    desk.open(attached, "--output", desk.folder / "out")
    assert (desk.folder / "out").read_bytes() == (desk.folder / "report.txt").read_bytes()
    assert "月报".encode() not in detached.read_bytes()
    desk.open(detached, "--content", desk.folder / "report.txt")
    desk.open(detached, "--content", desk.folder / "to.pem", code=1)
    desk.open(detached, code=1)
    desk.seal("--detached", *desk.to, code=2)


def test_a_replaced_key_still_opens(desk: Desk) -> None:
    message = desk.seal(*desk.to)
    keys = KeyFolder(desk.folder / "keys")
    keys.rotate("open", None, desk.made.now)
    desk.made.certify(keys, "open", "center-encrypt", "province-1")
    desk.open(message, *desk.key)


def test_who_is_not_trusted_or_not_meant_is_refused(desk: Desk, tmp_path: Path) -> None:
    message = desk.seal(*desk.to)
    desk.open(message, *desk.key, "--kind", "person", code=1)
    keys = KeyFolder(desk.folder / "keys")
    keys.new("other", "encrypt", None, desk.made.now)
    desk.made.certify(keys, "other", "center-encrypt", "province-2")
    desk.open(message, "--keys", desk.folder / "keys", "--key", "other", code=1)
    desk.made.revoke(keys.chain(keys.find("sign"))[0])
    desk.made.revoke(keys.chain(keys.find("open"))[0])
    desk.made.trust(desk.folder / "trust")
    desk.open(message, *desk.key, "--output", desk.folder / "out", code=1)
    assert not (desk.folder / "out").exists()
    desk.seal(*desk.to, code=1)
    desk.seal("--to", desk.folder / "to.pem", code=2)


def test_what_cannot_be_read(desk: Desk) -> None:
    (desk.folder / "noise").write_bytes(b"noise")
    desk.open(desk.folder / "noise", code=1)
    desk.open(desk.folder / "missing", code=3)
    keys = KeyFolder(desk.folder / "keys")
    keys.new("bare", "sign", None, desk.made.now)
    desk.run("seal", desk.folder / "report.txt", *desk.key[:2], "--key", "bare", "--output", "x", code=2)
