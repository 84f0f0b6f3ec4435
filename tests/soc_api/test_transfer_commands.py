"""``liuhe transfer`` between two centers on one machine, from request to receipt."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from transfer_world import NOW

from crypto.key_files import KeyFolder
from crypto.x509 import read_certificates
from soc_api.cli import main
from soc_api.folders import create
from soc_api.settings import Settings

CHANNEL = """
[[channel]]
id = "city-province"
direction = "{direction}"
sender = "市中心"
receiver = "省中心"
from_zone = "supervision"
to_zone = "extranet"
directory = "{road}"
receipts = "{back}"
recipients = ["{keys}/center-encrypt.pem"]
receipt_keys = ["{keys}/center-sign.pem"]
authors = ["{keys}/zhang.pem"]
approvers = ["{keys}/li.pem"]
stations = ["{keys}/center-sign.pem"]
"""


def run(capsys: pytest.CaptureFixture[str], *words: Any, code: int = 0) -> str:
    assert main([str(word) for word in ("transfer", *words)]) == code
    return capsys.readouterr().out


def test_from_request_to_receipt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = KeyFolder(tmp_path / "keys")
    for name in ("zhang", "li", "center-sign", "center-encrypt"):
        record = keys.new(name, "encrypt" if name == "center-encrypt" else "sign", None, NOW)
        keys.public(record).save(tmp_path / f"{name}.pem")
    for name, direction in (("city", "out"), ("province", "in")):
        create(tmp_path / name, Settings())
        (tmp_path / name / "transfer").mkdir()
        text = CHANNEL.format(
            direction=direction, road=tmp_path / "road", back=tmp_path / "back", keys=tmp_path
        )
        (tmp_path / name / "transfer" / "channels.toml").write_text(f"format = 1\n{text}", "utf-8")
    city, province = ("--data", tmp_path / "city"), ("--data", tmp_path / "province")
    ring = ("--keys", tmp_path / "keys")
    files = tmp_path / "files"
    files.mkdir()
    (files / "报告.txt").write_text("六合", "utf-8")
    what = ("--channel", "city-province", "--application", "A-1", "--purpose", "月报", "--label", "一般")
    said = run(capsys, "request", files, *city, *what, *ring, "--key", "zhang")
    name = said.split("\t")[0]
    run(capsys, "approve", name, *city, *ring, "--key", "zhang", code=1)
    assert "approved" in run(capsys, "approve", name, *city, *ring, "--key", "li")
    assert "sealed" in run(capsys, "seal", name, *city, *ring, "--key", "zhang")
    assert "exported" in run(capsys, "export", name, *city, "--person", "zhang")
    package = tmp_path / "road" / f"{name}.liuhe"
    look = ("--channel", "city-province", "--output", tmp_path / "look")
    assert "报告.txt" in run(capsys, "open", package, *province, *ring, *look)
    assert "imported" in run(capsys, "import", "city-province", *province, *ring)
    assert json.loads(run(capsys, "status", *province, "--wanted", "city-province"))["gaps"] == []
    assert "confirmed" in run(capsys, "import", "city-province", *city)
    found = json.loads(run(capsys, "status", *city, "--json"))
    assert [row["state"] for row in found["transfers"]] == ["confirmed"]
    assert "exported" in run(capsys, "heartbeat", "city-province", *city, *ring)
    assert "imported" in run(capsys, "import", "city-province", *province, *ring)
    assert run(capsys, "epoch", "city-province", *city, "--person", "root") == "2\n"
    run(capsys, "epoch", "city-province", *province, "--person", "root", "--allow", 2)
    assert "city-province" in run(capsys, "status", *city)
    second = run(capsys, "request", files, *city, *what, *ring, "--key", "zhang").split("\t")[0]
    assert "refused" in run(capsys, "refuse", second, *city, "--person", "li", "--reason", "重复")
    run(capsys, "export", "0" * 32, *city, "--person", "li", code=1)


CERTIFIED = """format = 1
[[channel]]
id = "city-province"
direction = "{direction}"
sender = "市中心"
receiver = "省中心"
from_zone = "supervision"
to_zone = "extranet"
directory = "{road}"
receipts = "{back}"
recipients = ["{folder}/province-encrypt.pem"]

[channel.trust]
folder = "trust"
authors = ["person:zhang@gov"]
approvers = ["person:li@gov"]
stations = ["center:city-1@gov"]
receivers = ["center:province-1@gov"]
"""
HOLDERS = (  # key, kind, id, whose folder
    ("zhang", "person", "zhang", "city"),
    ("li", "person", "li", "city"),
    ("center-sign", "center-sign", "city-1", "city"),
    ("center-sign", "center-sign", "province-1", "province"),
    ("center-encrypt", "center-encrypt", "province-1", "province"),
)


def cli(*words: Any, code: int = 0) -> None:
    assert main([str(word) for word in words]) == code, words


def authorities(folder: Path) -> None:
    """A root, an issuer below it, certificates of everybody, and both ends' folders of trust."""
    root, issuer = folder / "root", folder / "issuer"
    csr = folder / "request.csr"
    cli("cert", "root", "--authority", root, "--name", "省根", "--organization", "某省", "--no-passphrase")
    wanted = ("--kind", "issuer", "--name", "签发", "--zone", "gov", "--no-passphrase", "--output", csr)
    cli("cert", "request", "--authority", issuer, *wanted)
    cli("cert", "issue", "--authority", root, csr, "--kind", "issuer", "--output", folder / "issuer.pem")
    cli("cert", "install", "--authority", issuer, folder / "issuer.pem")
    for key, kind, name, center in HOLDERS:
        keys = folder / center / "transfer/keys"
        cli(
            "keys",
            "new",
            key,
            "--keys",
            keys,
            "--use",
            kind.removeprefix("center-").replace("person", "sign"),
            "--no-passphrase",
        )
        wanted = ("--kind", kind, "--name", name, "--id", name, "--zone", "gov", "--output", csr)
        cli("cert", "request", "--keys", keys, "--key", key, *wanted)
        leaf = folder / f"{name}-{kind}.pem"
        cli("cert", "issue", "--authority", issuer, csr, "--kind", kind, "--output", leaf)
        cli("cert", "install", "--keys", keys, leaf, folder / "issuer.pem")
        csr.unlink()
    chain = (folder / "province-1-center-encrypt.pem").read_bytes() + (folder / "issuer.pem").read_bytes()
    (folder / "province-encrypt.pem").write_bytes(chain)
    cli("cert", "crl", "--authority", issuer, "--output", folder / "issuer.crl")
    fingerprint = read_certificates((root / "authority.pem").read_bytes())[0].fingerprint
    files = (root / "authority.pem", root / "crl.pem", folder / "issuer.pem", folder / "issuer.crl")
    for center in ("city", "province"):
        trust = folder / center / "transfer/trust"
        cli("cert", "trust", "--trust", trust, "--fingerprint", fingerprint, *files)


def test_by_certificates_alone_and_a_revoked_approver_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, direction in (("city", "out"), ("province", "in")):
        create(tmp_path / name, Settings())
        (tmp_path / name / "transfer").mkdir()
        text = CERTIFIED.format(
            direction=direction, road=tmp_path / "road", back=tmp_path / "back", folder=tmp_path
        )
        (tmp_path / name / "transfer/channels.toml").write_text(text, "utf-8")
    authorities(tmp_path)
    capsys.readouterr()
    city, province = ("--data", tmp_path / "city"), ("--data", tmp_path / "province")
    files = tmp_path / "files"
    files.mkdir()
    (files / "报告.txt").write_text("六合", "utf-8")
    what = ("--channel", "city-province", "--application", "A-1", "--purpose", "月报", "--label", "一般")

    def carried() -> str:
        name = run(capsys, "request", files, *city, *what, "--key", "zhang").split("\t")[0]
        run(capsys, "approve", name, *city, "--key", "li")
        run(capsys, "seal", name, *city, "--key", "zhang")
        run(capsys, "export", name, *city, "--person", "zhang")
        return name

    carried()
    assert "imported" in run(capsys, "import", "city-province", *province)
    assert "confirmed" in run(capsys, "import", "city-province", *city)
    said = run(capsys, "status", *city)
    assert re.search(r"certificates crl [\d-]{10} \(good, 0 days old\) issuer [\d-]{10} \(good\)", said)
    (channel,) = json.loads(run(capsys, "status", *province, "--json"))["channels"]
    assert {one["kind"] for one in channel["trust"]["items"]} >= {"root", "issuer", "crl", "own"}
    carried()
    cli(
        "cert",
        "revoke",
        "--authority",
        tmp_path / "issuer",
        tmp_path / "li-person.pem",
        "--reason",
        "key-compromise",
    )
    cli("cert", "crl", "--authority", tmp_path / "issuer", "--output", tmp_path / "issuer.crl")
    cli("cert", "trust", "--trust", tmp_path / "province/transfer/trust", tmp_path / "issuer.crl")
    capsys.readouterr()
    assert "refused\tchain-revoked" in run(capsys, "import", "city-province", *province, code=1)
    assert "rejected" in run(capsys, "import", "city-province", *city)
