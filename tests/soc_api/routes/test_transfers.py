"""Tests of the transfer routes over a double of the transfer side."""

from typing import Any

import pytest

from crypto.sm3 import sm3_hex
from soc_api import transfer_uploads

ORDER = {
    "channel": "city",
    "application": "AP-2026-001",
    "purpose": "月度数据上报",
    "label": "一般",
    "marks": ["内部"],
    "days": 7,
}
IMPORT = "/transfers/import?channel=province"
UNLOCK = {"passphrase": "unlock me"}


def uploaded(client: Any, name: str = "名单.csv", data: bytes = b"a,b\n") -> str:
    answer = client("POST", "/transfers/files", params={"name": name}, content=data)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def asked(client: Any, **changed: Any) -> Any:
    return client("POST", "/transfers", json={**ORDER, "files": [uploaded(client)], **changed})


def test_one_asks_another_approves_and_the_package_leaves(world: Any) -> None:
    author, lead = world.signed_in("analyst"), world.signed_in("shift_lead")
    made = asked(author)
    assert made.status_code == 201
    row = made.json()
    assert (row["state"], row["author"], row["marks"]) == ("requested", "analyst", ["内部"])
    path = f"/transfers/{row['id']}"
    assert author("GET", path).json()["files"] == [{"name": "名单.csv", "size": 4, "sm3": sm3_hex(b"a,b\n")}]
    assert lead("POST", f"{path}/approve", json=UNLOCK).json()["approver"] == "shift-lead"
    assert lead("GET", f"{path}/package").status_code == 409
    assert lead("POST", f"{path}/seal", json=UNLOCK).json()["code"] == "permission-missing"
    assert author("POST", f"{path}/seal", json={"passphrase": "wrong"}).json()["code"] == "key-passphrase"
    assert author("POST", f"{path}/seal", json=UNLOCK).json()["state"] == "sealed"
    assert lead("POST", f"{path}/export").json()["state"] == "exported"
    package = lead("GET", f"{path}/package")
    assert package.content == b"package of " + row["id"].encode()
    assert f'filename="{row["id"][4:]}.liuhe"' in package.headers["content-disposition"]
    assert lead("GET", f"{path}/receipt").json()["code"] == "transfer-no-receipt"
    brought = lead("POST", IMPORT, content=package.content).json()
    assert (brought["direction"], brought["state"]) == ("in", "imported")
    assert [one["id"] for one in lead("GET", "/transfers").json()["rows"]] == [brought["id"], row["id"]]
    acts = [(line[1], line[3]) for line in world.audited() if line[1].startswith("transfer.")]
    assert acts == [
        ("transfer.request", "accepted"),
        ("transfer.approve", "accepted"),
        ("transfer.download", "accepted"),
        ("transfer.download", "failed: transfer-state"),
        ("transfer.seal", "accepted"),
        ("transfer.seal", "failed: key-passphrase"),
        ("transfer.seal", "accepted"),
        ("transfer.export", "accepted"),
        ("transfer.download", "accepted"),
        ("transfer.import", "accepted"),
    ]
    assert "unlock me" not in str(world.audited())
    assert not list((world.folder / "uploads").iterdir())


def test_nobody_approves_their_own_request(world: Any) -> None:
    author = world.signed_in("analyst")
    id_ = asked(author).json()["id"]
    assert author("POST", f"/transfers/{id_}/approve", json=UNLOCK).json()["code"] == "permission-missing"
    # Where somebody's role changed meanwhile, the table no longer stands between the two acts.
    lead = world.signed_in("shift_lead")
    row = world.transfers.rows[id_]
    world.transfers.rows[id_] = type(row)(
        **{name: getattr(row, name) for name in row.__struct_fields__} | {"author": "shift-lead"}
    )
    answer = lead("POST", f"/transfers/{id_}/approve", json=UNLOCK)
    assert (answer.status_code, answer.json()["code"]) == (409, "transfer-dual-control")
    assert world.audited()[-1][1:] == ("transfer.approve", id_, "failed: transfer-dual-control")


def test_a_refusal_has_its_reason_and_is_final(world: Any) -> None:
    author, security = world.signed_in("compliance_officer"), world.signed_in("security_admin")
    id_ = asked(author).json()["id"]
    assert security("POST", f"/transfers/{id_}/refuse", json={"reason": "x"}).status_code == 422
    refused = security("POST", f"/transfers/{id_}/refuse", json={"reason": "用途不明"}).json()
    assert (refused["state"], refused["reason"]["message"]["zh"]) == ("refused", "用途不明")
    assert security("POST", f"/transfers/{id_}/approve", json=UNLOCK).status_code == 409
    assert security("GET", "/transfers?state=refused").json()["rows"][0]["id"] == id_
    assert security("GET", "/transfers?state=open").json()["rows"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"label": "秘密"},
        {"label": "涉密"},
        {"marks": ["绝 密"]},
        {"purpose": "报送【机密】材料"},
        {"application": "机密★10年"},
    ],
)
def test_state_secrets_are_refused(world: Any, changed: dict[str, Any]) -> None:
    answer = asked(world.signed_in("analyst"), **changed)
    assert (answer.status_code, answer.json()["code"]) == (409, "state-secret")
    assert not world.transfers.rows


def test_state_secrets_are_refused_in_names_before_a_byte_is_kept(world: Any) -> None:
    answer = world.signed_in("analyst")("POST", "/transfers/files?name=[绝密]计划.pdf", content=b"x")
    assert answer.json()["code"] == "state-secret"
    assert not list((world.folder / "uploads").iterdir())


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"label": "很重要"}, "label"),
        ({"days": 0}, "body.days"),
        ({"purpose": ""}, "body.purpose"),
        ({"files": []}, "body.files"),
        ({"files": ["0" * 32]}, "body.files"),
        ({"files": ["../../etc/passwd"]}, "body.files[0]"),
        ({"path": "/etc/passwd"}, "body.path"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(world: Any, changed: dict[str, Any], field: str) -> None:
    answer = asked(world.signed_in("analyst"), **changed)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    "name",
    [
        "../up.txt",
        "/etc/passwd",
        "a\\b.txt",
        "C:x.txt",
        "con.txt",
        "a\u202etxt.exe",
        "x\n.txt",
        " a.txt",
        "..",
        "a//b",
    ],
)
def test_hostile_names_are_refused(world: Any, name: str) -> None:
    answer = world.signed_in("analyst")("POST", "/transfers/files", params={"name": name}, content=b"x")
    assert (answer.status_code, answer.json()["field"]) == (422, "query.name")
    assert not list((world.folder / "uploads").iterdir())


def test_uploads_are_bounded_and_leave_nothing(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_uploads, "BYTES_MAX", 1000)
    client = world.signed_in("analyst")
    first = uploaded(client, "a.txt", b"x" * 600)
    answer = client("POST", "/transfers/files?name=b.txt", content=b"x" * 600)
    assert (answer.status_code, answer.json()["code"]) == (409, "transfer-uploads-full")
    assert client("POST", "/transfers/files?name=c.txt", content=b"").json()["code"] == "transfer-file-empty"
    assert [one.name for one in (world.folder / "uploads").iterdir()] == [first]


def test_an_upload_is_its_owners_alone(world: Any) -> None:
    mine = uploaded(world.signed_in("analyst"))
    other = world.signed_in("compliance_officer")
    answer = other("POST", "/transfers", json={**ORDER, "files": [mine]})
    assert answer.json()["code"] == "transfer-files"


def test_what_is_no_package_is_refused_and_dropped(world: Any) -> None:
    lead = world.signed_in("shift_lead")
    answer = lead("POST", IMPORT, content=b"PK\x03\x04")
    assert (answer.status_code, answer.json()["code"]) == (409, "package-malformed")
    assert not list((world.folder / "uploads").iterdir())


def test_gaps_choices_and_unknown_transfers(world: Any) -> None:
    client = world.signed_in("audit_admin")
    row = client("GET", "/transfers/channels").json()["rows"][0]
    assert (row["gaps"], row["unconfirmed"]) == ([{"first": 3, "last": 4}], 2)
    assert (row["trust"]["mode"], row["trust"]["keys"]) == ("keys", 2)
    found = client("GET", "/transfers/choices").json()
    assert found["labels"] == ["一般", "重要", "核心"]
    assert found["upload_bytes_max"] == 64 << 20
    assert client("GET", f"/transfers/out-{9:032x}").status_code == 404
    assert client("GET", "/transfers/..%2f..%2fetc").status_code in (404, 422)
    assert client("GET", "/transfers?cursor=x").json()["field"] == "cursor"
