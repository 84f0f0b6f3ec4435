"""The label policy: every label on every way is what the table here says, and nothing unnamed passes."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
import yaml

from crypto.package_format import FileEntry
from crypto.transfer.policy import Policy, check_kinds, check_policy, read_policy
from crypto.transfer.request import HEARTBEAT, STATION, Place, Request, manifest_of
from crypto.words import BadInput, Refused
from rules import ROOT

RAW = yaml.safe_load((ROOT / "transfer" / "labels.yaml").read_text("utf-8"))
POLICY = read_policy(RAW)
ZONES = ("internet", "extranet", "office", "production", "supervision")
ALL = {"pdf", "png", "jpeg", "docx", "xlsx", "csv", "txt", "json"}
PAPER = {"pdf", "docx", "xlsx", "csv", "txt", "json"}
INSIDE = ZONES[1:]
ALLOWED: dict[tuple[str, str, str], set[str]] = {
    **{("一般", a, b): ALL for a in INSIDE for b in ("extranet", "office", "supervision")},
    **{("一般", a, "internet"): {"pdf", "png", "jpeg"} for a in ("extranet", "office")},
    **{("一般", "internet", b): {"pdf", "png", "jpeg", "csv", "txt"} for b in ("extranet", "office")},
    **{("一般", a, "production"): {"csv", "txt", "json"} for a in ("office", "supervision")},
    **{("重要", a, b): PAPER for a in INSIDE for b in ("extranet", "supervision")},
    **{("核心", a, "supervision"): {"pdf", "csv", "json"} for a in ("production", "supervision")},
}


def request(**changes: Any) -> Request:
    from datetime import UTC, datetime

    now = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    members: dict[str, Any] = {
        "id": "0" * 32,
        "channel": "a-b",
        "application": "a",
        "purpose": "b",
        "sender": "a",
        "receiver": "b",
        "label": "一般",
        "from_zone": "office",
        "to_zone": "extranet",
        "issued": now,
        "expires": now + timedelta(days=7),
        "recipients": ("c" * 64,),
        "files": (FileEntry(name="a.txt", size=1, sm3="d" * 64),),
    }
    return Request(**{**members, **changes})


def code(**changes: Any) -> str:
    with pytest.raises(Refused) as caught:
        check_policy(POLICY, request(**changes))
    return caught.value.code


@pytest.mark.parametrize("label", ["一般", "重要", "核心"])
@pytest.mark.parametrize("from_zone", ZONES)
@pytest.mark.parametrize("to_zone", ZONES)
def test_every_label_on_every_way(label: str, from_zone: str, to_zone: str) -> None:
    wanted = ALLOWED.get((label, from_zone, to_zone), set())
    asked = request(label=label, from_zone=from_zone, to_zone=to_zone)
    manifest = manifest_of(asked, Place(epoch=1, sequence=1, previous=""), author="a", approver="b")
    for either in (asked, manifest):
        if wanted:
            assert check_policy(POLICY, either) == wanted
        else:
            with pytest.raises(Refused, match="transfer-policy"):
                check_policy(POLICY, either)


def test_what_the_rules_do_not_name_is_refused() -> None:
    assert code(label="公开") == "transfer-label"
    assert code(label="一般 ") == "transfer-label"
    assert code(from_zone="moon") == "transfer-zone"
    assert code(to_zone="") == "transfer-zone"
    assert code(marks=("内部", "急")) == "transfer-label"
    assert code(label="秘密") == "state-secret"
    assert code(marks=("机密",)) == "state-secret"
    assert code(to_zone="internet", marks=("内部",)) == "transfer-policy"
    assert check_policy(POLICY, request(marks=("内部",)))


def test_limits() -> None:
    big = FileEntry(name="a.txt", size=1 << 40, sm3="d" * 64)
    assert code(files=(big,)) == "transfer-limit"
    many = tuple(FileEntry(name=f"{n}.txt", size=1, sm3="d" * 64) for n in range(1001))
    assert code(files=many) == "transfer-limit"
    large = tuple(FileEntry(name=f"{n}.txt", size=1 << 34, sm3="d" * 64) for n in range(5))
    assert code(files=large) == "transfer-limit"
    assert code(expires=request().issued + timedelta(days=31)) == "transfer-limit"


def test_a_heartbeat_has_no_files_and_the_stations_signature() -> None:
    manifest = msgspec.structs.replace(
        manifest_of(
            request(files=(), to_zone="internet", from_zone="production"),
            Place(epoch=1, sequence=1, previous=""),
            author="",
            approver="",
        ),
        kind=HEARTBEAT,
        roles=(STATION,),
    )
    assert check_policy(POLICY, manifest) == frozenset()
    for changed in ({"files": request().files}, {"roles": ("author", "approver")}):
        with pytest.raises(Refused, match="transfer-kind"):
            check_policy(POLICY, msgspec.structs.replace(manifest, **changed))


def test_kinds() -> None:
    check_kinds({"pdf"}, [("a.pdf", "pdf")])
    with pytest.raises(Refused, match="transfer-content-type"):
        check_kinds({"pdf"}, [("a.pdf", "pdf"), ("b.txt", "txt")])


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"marks": ["内部", "机密"]},
        {"marks": []},
        {"extra": 1},
        {"zones": [*RAW["zones"], RAW["zones"][0]]},
        {"allow": [{**RAW["allow"][0], "labels": ["秘密"]}]},
        {"allow": [{**RAW["allow"][0], "to_zones": ["moon"]}]},
        {"allow": [{**RAW["allow"][0], "contents": ["exe"]}]},
        {"allow": [{**RAW["allow"][0], "labels": ["核心"], "to_zones": ["internet"]}]},
    ],
)
def test_wrong_rules_are_not_loaded(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="transfer-rules"):
        read_policy({**RAW, **change})
    assert isinstance(POLICY, Policy)
