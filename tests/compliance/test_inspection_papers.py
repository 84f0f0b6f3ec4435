"""Papers of a kit: what counts goes along with its files, what does not fit is listed and left out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from compliance import inspection_papers
from compliance.attestation import Statement
from compliance.checklist import load_checklist
from compliance.enforcement import open_enforcement
from compliance.grading_process import load_process
from compliance.inspection_papers import Papers, papers_of
from compliance.milestone_store import MilestoneStore
from compliance.registry import Milestone
from crypto.keys import SigningKey
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHECKS = load_checklist(ROOT / "checklist")


@pytest.fixture(name="stated")
def _stated(world: Any, signing_key: SigningKey) -> Any:
    """A world with an accepted statement about DAT-12 and two files."""
    desk = open_enforcement(world.engine, world.ledger, signing_key, CHECKS, ROOT).statements
    files = [desk.attach(name, name.encode(), "user:li", NOW) for name in ("声明.pdf", "附图.png")]
    statement = Statement(
        system="local",
        object="",
        check="DAT-12",
        verdict="符合",
        reason="均在境内",
        answers={"places": "南京政务云", "abroad": "否"},
        attachments=tuple(one.sm3 for one in files),
        author="user:li",
        made=NOW,
        expires=NOW + timedelta(days=30),
    )
    made = desk.submit(statement, NOW)
    desk.review(made.id, accept=True, note="", actor="user:zhao", now=NOW)
    desk.submit(msgspec.structs.replace(statement, reason="未复核"), NOW)
    return world


def papers(world: Any, *checks: str, now: datetime = NOW) -> Papers:
    return papers_of(world.engine, world.ledger, "local", checks or ("DAT-12",), now)


def test_a_statement_that_counts_goes_along_with_its_files(stated: Any) -> None:
    found = papers(stated)
    assert found.files == {
        "04-证明/DAT-12/1-1-声明.pdf": "声明.pdf".encode(),
        "04-证明/DAT-12/1-2-附图.png": "附图.png".encode(),
    }
    assert found.checks == {"DAT-12"}
    rows = found.sheets[0].rows
    assert [row[-1] for row in rows] == list(found.files)
    assert rows[0][:5] == ("DAT-12", "整个系统", "符合", "均在境内", "user:li")
    assert rows[0][7:9] == ("user:zhao", "会话登录,中心签名")


def test_what_nobody_asks_about_or_is_over_stays(stated: Any) -> None:
    assert papers(stated, "MGT-01").files == {}
    assert papers(stated, now=NOW + timedelta(days=31)).sheets[0].rows == []


def test_files_beyond_the_total_are_listed_and_left_out(stated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection_papers, "FILES_BYTES_MAX", len("声明.pdf".encode()))
    found = papers(stated)
    assert list(found.files) == ["04-证明/DAT-12/1-1-声明.pdf"]
    first, second = found.sheets[0].rows
    assert str(second[-1]).startswith("未附")
    assert second[-3] != first[-3]
    monkeypatch.setattr(inspection_papers, "FILES_MAX", 0)
    assert papers(stated).files == {}


def test_the_steps_of_the_system_stand_with_their_papers(world: Any) -> None:
    store = MilestoneStore(world.engine, load_process(ROOT / "grading"))
    paper = Milestone(
        system="local", step="", day=NOW.date(), document="定级报告 1 号", authority="某厅", note="初定"
    )
    store.take("grade", paper, NOW, "user:a", grade="S3A3G3")
    (row,) = papers(world).sheets[1].rows
    assert row[:4] == ("定级", "2026-11-22", "定级报告 1 号", "某厅")
    assert row[-2:] == ("user:a", "2026-11-22 16:00")
