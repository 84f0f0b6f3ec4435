"""``liuhe transfer`` between two centers on one machine, from request to receipt."""

import json
from pathlib import Path
from typing import Any

import pytest
from transfer_world import NOW

from crypto.key_files import KeyFolder
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
recipients = ["{keys}/open.pem"]
receipt_keys = ["{keys}/station.pem"]
authors = ["{keys}/zhang.pem"]
approvers = ["{keys}/li.pem"]
stations = ["{keys}/station.pem"]
"""


def run(capsys: pytest.CaptureFixture[str], *words: Any, code: int = 0) -> str:
    assert main([str(word) for word in ("transfer", *words)]) == code
    return capsys.readouterr().out


def test_from_request_to_receipt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = KeyFolder(tmp_path / "keys")
    for name in ("zhang", "li", "station", "open"):
        record = keys.new(name, "encrypt" if name == "open" else "sign", None, NOW)
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
