"""Tests of soc_api.transfer_console: two persons with keys carry a file from one center to another."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crypto.key_files import KeyFolder
from crypto.passphrase import Passphrase
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, Refused
from detection.store.state import open_state
from rules import ROOT
from soc_api.audit_store import AuditStore
from soc_api.migrate import upgrade
from soc_api.transfer_channels import load_channels
from soc_api.transfer_console import ENCRYPT, PERSONS, SIGN, STATION_KEYS, ConsoleTransfers
from soc_api.transfer_desk import Parts
from soc_api.transfer_ferry import Ferry
from soc_api.transfer_gate import Decision, load_policy
from soc_api.transfer_port import StagedFile, TransferAsk
from soc_api.transfer_store import TransferStore

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CHANNEL = """
[[channel]]
id = "up"
direction = "{direction}"
sender = "city"
receiver = "province"
from_zone = "office"
to_zone = "supervision"
directory = "{directory}"
receipts = "{receipts}"
{keys}
"""


class Gate:
    """Says yes."""

    def ask(self, action: str, system: str, label: str, now: datetime, **about: str) -> Decision:
        return Decision(allowed=True)


class Site:
    """One center's transfers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder / "transfer"
        self.engine: Engine = open_state(f"sqlite:///{folder / 'state.sqlite'}")
        upgrade(self.engine)
        self.ferry = Ferry(self.folder)
        self.store = TransferStore(self.engine)
        self.console = ConsoleTransfers(self.parts, AuditStore(self.engine))

    def parts(self) -> Parts:
        return Parts(
            store=self.store,
            ferry=self.ferry,
            channels=load_channels(self.folder),
            policy=load_policy(ROOT / "transfer"),
            gate=Gate(),
            system="local",
        )

    def key(self, folder: str, name: str, passphrase: str = "", use: str = "sign") -> Path:
        keys = KeyFolder(self.folder / folder)
        record = keys.new(name, use, Passphrase(passphrase.encode()) or None, NOW)  # type: ignore[arg-type]
        return keys.public_path(record)

    def register(self, direction: str, tmp: Path, keys: str) -> None:
        text = CHANNEL.format(
            direction=direction, directory=tmp / "packages", receipts=tmp / "receipts", keys=keys
        )
        (self.folder / "channels.toml").write_text(f"format = 1\n{text}")


@pytest.fixture
def sites(tmp_path: Path) -> tuple[Site, Site]:
    city, province = Site(tmp_path / "city"), Site(tmp_path / "province")
    author = city.key(PERSONS, "analyst", "analyst-pass")
    approver = city.key(PERSONS, "lead", "lead-pass")
    sign = province.key(STATION_KEYS, SIGN)
    encrypt = province.key(STATION_KEYS, ENCRYPT, use="encrypt")
    city.register("out", tmp_path, f'recipients = ["{encrypt}"]\nreceipt_keys = ["{sign}"]')
    province.register("in", tmp_path, f'authors = ["{author}"]\napprovers = ["{approver}"]')
    return city, province


def ask(folder: Path, **changed: object) -> TransferAsk:
    path = folder / "upload"
    path.write_bytes(b"a,b\n1,2\n")
    staged = StagedFile(name="名单.csv", size=8, sm3=sm3_hex(b"a,b\n1,2\n"), path=path)
    given = {
        "channel": "up",
        "application": "AP-1",
        "purpose": "monthly figures",
        "label": "一般",
        "marks": ("内部",),
        "days": 7,
        "files": (staged,),
    }
    return TransferAsk(**{**given, **changed})  # type: ignore[arg-type]


def test_a_file_goes_from_city_to_province_and_its_receipt_comes_back(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    city, province = sites[0].console, sites[1].console
    row = city.request(ask(tmp_path), "analyst", NOW)
    assert (row.state, row.from_zone, row.to_zone) == ("requested", "office", "supervision")
    with pytest.raises(Refused) as refused:
        city.approve(row.id, "analyst", bytearray(b"analyst-pass"), NOW)
    assert refused.value.code == "transfer-dual-control"
    with pytest.raises((Refused, BadInput)):
        city.approve(row.id, "lead", bytearray(b"wrong"), NOW)
    assert city.approve(row.id, "lead", bytearray(b"lead-pass"), NOW).state == "approved"
    with pytest.raises(Refused):
        city.package(row.id)
    assert city.seal(row.id, "analyst", bytearray(b"analyst-pass"), NOW).state == "sealed"
    sent = city.export(row.id, "lead", NOW)
    assert (sent.state, sent.package_ready) == ("exported", True)
    assert city.page("unconfirmed", "", 10).rows == (sent,)
    came = province.import_("up", city.package(row.id), "lead", LATER)
    assert (came.direction, came.state, came.author, came.approver) == ("in", "imported", "analyst", "lead")
    received = province.detail(came.id)
    assert [one.name for one in received.files] == ["名单.csv"]
    assert {(one.action, one.actor) for one in received.history} == {
        ("transfer.verify", "user:lead"),
        ("transfer.import", "user:lead"),
    }
    receipt = next((tmp_path / "receipts").iterdir())
    assert province.receipt(came.id) == receipt.read_bytes()
    with pytest.raises(Refused, match="transfer-no-receipt"):
        city.receipt(row.id)
    confirmed = city.import_("up", receipt, "lead", LATER)
    assert (confirmed.state, confirmed.receipt) == ("confirmed", "accepted")
    assert city.receipt(row.id) == receipt.read_bytes()
    seen = city.detail(row.id)
    assert [one.verdict for one in seen.receipts] == ["accepted"]
    assert [(one.role, one.signed) for one in seen.signatures] == [("author", True), ("approver", True)]
    acts = [one.action for one in seen.history if one.result == "ok"]
    assert acts == ["transfer.request", "transfer.approve", "transfer.seal", "transfer.export"]
    assert ("transfer.approve", "transfer-dual-control") in [(one.action, one.result) for one in seen.history]
    assert province.channels(LATER)[0].sequence == 1
    assert not list(sites[1].folder.glob(".console-*"))


def test_what_is_refused_says_why(sites: tuple[Site, Site], tmp_path: Path) -> None:
    city, province = sites[0].console, sites[1].console
    with pytest.raises(Refused) as refused:
        city.request(ask(tmp_path), "nobody", NOW)
    assert refused.value.code == "transfer-no-key"
    with pytest.raises(Refused) as refused:
        city.request(ask(tmp_path, label="核心"), "analyst", NOW)
    assert refused.value.code == "transfer-policy"
    with pytest.raises(Refused) as refused:
        city.request(ask(tmp_path, label="绝密"), "analyst", NOW)
    assert refused.value.code == "state-secret"
    noise = tmp_path / "noise"
    noise.write_bytes(b"x" * 100_000)
    with pytest.raises(Refused):
        province.import_("up", noise, "lead", NOW)
    row = city.request(ask(tmp_path), "analyst", NOW)
    said = city.refuse(row.id, "lead", "用途不明", NOW)
    assert said.reason is not None
    assert (said.state, said.reason.message.zh) == ("refused", "用途不明")
    assert city.page("refused", "", 10).rows[0].id == row.id
    with pytest.raises(Refused):
        city.detail(f"out-{'0' * 32}")
    with pytest.raises(BadInput):
        city.page("all", "x", 10)


def test_choices_are_those_of_the_policy_and_the_register(sites: tuple[Site, Site]) -> None:
    found = sites[0].console.choices()
    assert [one.channel for one in found.channels] == ["up"]
    assert ("重要", "office", "supervision") in {
        (way.label, way.from_zone, way.to_zone) for way in found.ways
    }
    assert "内部" in found.marks
