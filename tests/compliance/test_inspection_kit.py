"""The kit for an inspection: each question answered or said to be open, digests that hold, proofs inside."""

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest

from compliance.attestation import Statement
from compliance.attestation_form import Ask as Question
from compliance.checklist import load_checklist
from compliance.enforcement import open_enforcement
from compliance.inspection import AUDIENCES, Ask, answer_of, load_inspections
from compliance.inspection_kit import inspection_kit, log_days, registry_facts
from compliance.ledger import NewEvidence
from compliance.registry import GradedSystem
from crypto.cosignature import Verifier, cosign
from crypto.keys import SigningKey
from crypto.note import parse_note, with_signatures
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, Refused
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
INSPECTIONS = load_inspections(ROOT / "inspection")


def test_every_question_names_checks_there_are() -> None:
    known = {check.id for check in load_checklist(ROOT / "checklist")}
    for audience in AUDIENCES:
        asks = INSPECTIONS[audience].asks
        assert len({ask.id for ask in asks}) == len(asks)
        for ask in asks:
            assert set(ask.checks) <= known, ask
            assert ask.checks or ask.person, ask


def test_an_answer_never_rests_on_silence() -> None:
    ask = Ask(id="a", zh="甲", en="a", checks=("A", "B"), registry="filing", person="原件")
    facts = {"filing": "备案证明号 1"}

    def standing(first: str, second: str, known: dict[str, str] = facts) -> str:
        return answer_of(ask, {"A": first, "B": second}, known).standing

    assert standing("符合", "符合") == "具备"
    assert standing("符合", "部分符合") == "部分具备"
    assert standing("未知", "符合") == "缺证据"
    assert standing("未知", "不符合") == "不符合"
    assert standing("符合", "符合", {}) == "缺证据"
    assert answer_of(ask, {}, facts).standing == "缺证据"
    shown = answer_of(msgspec.structs.replace(ask, checks=(), registry=""), {}, {})
    assert (shown.standing, shown.where) == ("须现场出示", "原件")


def test_what_the_registry_says() -> None:
    bare = GradedSystem(id="a", unit="u", name="a", level=3, grade="S3A3G3")
    assert set(registry_facts(bare).values()) == {""}
    full = msgspec.structs.replace(
        bare, filing_number="1", filing_expires=date(2027, 1, 1), assessed=date(2026, 1, 1)
    )
    assert registry_facts(full)["filing"] == "备案证明号 1，有效期至 2027-01-01"
    assert registry_facts(full)["assessment"] == "等级测评 2026-01-01"


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_kit_is_whole_and_the_same_twice(world: Any, audience: Any) -> None:
    world.probe(60)
    world.compliance.evaluate("system:jobs", NOW)
    parts = world.desk._parts
    first, second = (
        inspection_kit(parts, INSPECTIONS[audience], audience=audience, system="local", now=NOW)
        for _ in range(2)
    )
    assert first.data == second.data
    assert len(first.answers) == len(INSPECTIONS[audience].asks)
    with zipfile.ZipFile(io.BytesIO(first.data)) as kit:
        names = set(kit.namelist())
        assert {"00-目录.pdf", "00-目录.docx", "01-明细.xlsx", "03-证据/evidence.zip", "SM3SUMS.p7s"} <= names
        for line in kit.read("SM3SUMS").decode().splitlines():
            digest, _, name = line.partition("  ")
            assert sm3_hex(kit.read(name)) == digest
        book = openpyxl.load_workbook(io.BytesIO(kit.read("01-明细.xlsx")))
        with zipfile.ZipFile(io.BytesIO(kit.read("03-证据/evidence.zip"))) as evidence:
            assert "verify.py" in evidence.namelist()
    assert book["目录"].max_row == 1 + len(first.answers)
    assert book["日志逐日"].max_row == 1 + 180


def test_what_witnesses_signed_stands_on_their_checkpoint(world: Any, tmp_path: Path) -> None:
    world.probe(60)
    world.compliance.evaluate("system:jobs", NOW)
    parts = world.desk._parts
    text, size = parts.ledger.checkpoint(NOW), parts.ledger.size
    entry = NewEvidence(kind="segment", actor="system:store", subject="segment:x", summary="x", payload=b"")
    parts.ledger.append([entry], NOW)
    key, note = SigningKey.generate(), parse_note(text.encode())
    policy = f"witness w {Verifier('w', key.public, True).line()}\nquorum w\n".encode()
    (tmp_path / "policy").write_bytes(policy)
    cosigned = with_signatures(note, [cosign(note.text, "w", key, NOW)])
    (tmp_path / "cosigned").write_bytes(cosigned.encode())
    parts = msgspec.structs.replace(parts, witness=tmp_path)
    kit = inspection_kit(parts, INSPECTIONS["police"], audience="police", system="local", now=NOW)
    with zipfile.ZipFile(io.BytesIO(kit.data)) as archive:
        assert archive.read("03-证据/witness-policy.txt") == policy
        assert f"第 {size} 条起" in archive.read("03-证据/说明.txt").decode()
        inner = [
            zipfile.ZipFile(io.BytesIO(archive.read(f"03-证据/{name}.zip")))
            for name in ("evidence", "unwitnessed")
        ]
    assert inner[0].read("checkpoint") == cosigned.encode()
    assert inner[0].read("policy") == policy
    assert f"items/{size:012d}.leaf" in inner[1].namelist()


def test_an_issued_report_goes_along(world: Any) -> None:
    made = world.desk.make_report("2026-11", "user:a", NOW)
    for step, actor in (("prepare", "user:a"), ("review", "user:b"), ("approve", "user:c")):
        content = world.desk.report_detail(made.id).report.content_sm3
        world.desk.sign_report(made.id, step, content=content, actor=actor, name=actor, now=NOW)
    kit = inspection_kit(world.desk._parts, INSPECTIONS["police"], audience="police", system="local", now=NOW)
    with zipfile.ZipFile(io.BytesIO(kit.data)) as archive:
        assert f"02-月报/{made.id}.pdf.p7s" in archive.namelist()
    assert len(log_days(world.events, NOW)) == 180


def test_files_that_people_handed_in_go_along_and_the_index_says_where(
    world: Any, signing_key: SigningKey
) -> None:
    checks = load_checklist(ROOT / "checklist")
    desk = open_enforcement(world.engine, world.ledger, signing_key, checks, ROOT).statements
    file = desk.attach("演练记录.pdf", b"%PDF", "user:li", NOW)
    form = next(one.form for one in checks if one.id == "MGT-10")
    assert form is not None
    statement = Statement(
        system="local",
        object="",
        check="MGT-10",
        verdict="部分符合",
        reason="仅桌面演练",
        answers={ask.name: answer(ask) for ask in form.asks},
        attachments=(file.sm3,),
        author="user:li",
        made=NOW,
        expires=NOW + timedelta(days=9),
    )
    made = desk.submit(statement, NOW)
    if made.state == "submitted":
        desk.review(made.id, accept=True, note="", actor="user:zhao", now=NOW)
    kit = inspection_kit(world.desk._parts, INSPECTIONS["police"], audience="police", system="local", now=NOW)
    (told,) = (one for one in kit.answers if one.ask.id == "plan")
    assert told.where.endswith("04-证明/MGT-10")
    with zipfile.ZipFile(io.BytesIO(kit.data)) as archive:
        assert archive.read("04-证明/MGT-10/1-1-演练记录.pdf") == b"%PDF"
        book = openpyxl.load_workbook(io.BytesIO(archive.read("01-明细.xlsx")))
    assert book["人工证明"].max_row == 2
    assert book["定级过程"].max_row == 1


def answer(ask: Question) -> str:
    """Some answer that a form takes."""
    if ask.kind == "date":
        return NOW.date().isoformat()
    return ask.choices[0] if ask.choices else "1"


def test_what_is_not_there_or_malformed_is_said(world: Any, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="system-not-found"):
        inspection_kit(world.desk._parts, INSPECTIONS["data"], audience="data", system="none", now=NOW)
    with pytest.raises(BadInput, match="inspection-malformed"):
        load_inspections(tmp_path)
    (tmp_path / "police.yaml").write_text("title: {zh: a, en: b}\nasks: [{id: x}]\n")
    with pytest.raises(BadInput, match="inspection-malformed"):
        load_inspections(tmp_path)
