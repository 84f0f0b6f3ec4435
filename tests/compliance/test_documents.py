"""Documents as facts: strict cells, hostile bytes, days reckoned at the moment of asking."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.document_store import DocumentStore
from compliance.documents import (
    DOCUMENT_BYTES_MAX,
    ROWS_MAX,
    DocumentKind,
    Imported,
    Row,
    facts_of,
    load_kinds,
    read_document,
)
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from crypto.words import BadInput
from detection.store.state import open_state
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
KINDS = load_kinds(ROOT / "mappings" / "documents.yaml")
FIREWALL = KINDS["firewall.policy"]
HEAD = "设备,规则,源,目的,服务,动作,命中数,到期日\n"


def imported(kind: DocumentKind, *rows: Row) -> Imported:
    return Imported(id=3, system="local", kind=kind.kind, time=NOW, actor="user:li", sm3="ab", rows=rows)


def test_one_fact_per_object_with_its_last_row_and_counts() -> None:
    text = (
        HEAD
        + "fw1,1,any,任意,any,允许,3,\nfw1,2,any,10.0.0.1,443,permit,0,2026-01-01\nfw1,9,any,any,any,deny,,\n"
    )
    text += "fw2,1,10.0.0.2,10.0.0.3,443,allow,9,\n"
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("gb18030")):
        facts = facts_of(FIREWALL, imported(FIREWALL, *read_document(FIREWALL, data)), NOW)
        assert [fact.object for fact in facts] == ["fw1", "fw2"]
        fields = facts[0].fields
        assert (fields["document.action"], fields["document.rows"]) == ("deny", 3)
        assert (fields["document.count.any_any"], fields["document.count.expired"]) == (1, 1)
        assert fields["document.named.unused"] == ["fw1 2 any 10.0.0.1"]
        assert (facts[0].name, facts[0].event) == ("import.firewall.policy", "import:3")


def test_days_are_reckoned_when_asked_and_the_newest_row_gives_the_time() -> None:
    kind = KINDS["backup.jobs"]
    text = "job,finished,result\na,2026-11-22T06:00:00+00:00,success\na,2026-11-21T06:00:00+00:00,failure\n"
    (fact,) = facts_of(kind, imported(kind, *read_document(kind, text.encode())), NOW)
    assert fact.time == NOW - timedelta(hours=2)
    assert (fact.fields["document.result"], fact.fields["document.finished_days_ago"]) == ("success", 0)
    (later,) = facts_of(kind, imported(kind, *read_document(kind, text.encode())), NOW + timedelta(days=3))
    assert later.fields["document.finished_days_ago"] == 3
    ahead = imported(
        kind, {"job": "a", "finished": (NOW + timedelta(hours=1)).isoformat(), "result": "success"}
    )
    assert "lies ahead" in facts_of(kind, ahead, NOW)[0].error


def test_nothing_found_is_a_fact_too() -> None:
    kind = KINDS["vulnerability.scan"]
    (fact,) = facts_of(kind, imported(kind), NOW)
    assert (fact.object, fact.fields["document.rows"], fact.fields["document.count.exposed"]) == ("", 0, 0)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "1:device"),
        ("设备,规则\n", "1:source"),
        (HEAD + "fw1,1,a,b,c,maybe,0,\n", "2:action"),
        (HEAD + "fw1,1,a,b,c,deny,many,\n", "2:hits"),
        (HEAD + "fw1,1,a,b,c,deny,nan,\n", "2:hits"),
        (HEAD + "fw1,1,a,b,c,deny,1e99,\n", "2:hits"),
        (HEAD + "fw1,1,a,b,c,deny,0,tomorrow\n", "2:expires"),
        (HEAD + ",1,a,b,c,deny,0,\n", "2:device"),
        (HEAD + "fw1,1,a,b,c,deny,0,,x\n", "2:"),
        (HEAD + f"{'x' * 501},1,a,b,c,deny,0,\n", "2:device"),
        (HEAD.replace("规则", "设备"), "1:设备"),
        (HEAD.replace("规则", "条目"), "1:条目"),
        (HEAD + '"fw1,1\n', "2:"),
        (HEAD + "fw1,1,a,b,c,deny,0,\n" * (ROWS_MAX + 1), f"{ROWS_MAX + 2}:"),
    ],
)
def test_wrong_cells_are_named(text: str, field: str) -> None:
    with pytest.raises(BadInput, match="document-malformed") as caught:
        read_document(FIREWALL, text.encode())
    assert caught.value.field == field


def test_a_file_too_large_or_in_no_encoding() -> None:
    for data in (b"x" * (DOCUMENT_BYTES_MAX + 1), b"\xff\xff\x80"):
        with pytest.raises(BadInput):
            read_document(FIREWALL, data)


@given(st.binary(max_size=400), st.sampled_from(sorted(KINDS)))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_rows_or_a_named_error(data: bytes, name: str) -> None:
    kind = KINDS[name]
    head = ",".join(kind.columns).encode() + b"\n"
    for given_bytes in (data, head + data):
        try:
            rows = read_document(kind, given_bytes)
        except BadInput:
            continue
        facts_of(kind, imported(kind, *rows), NOW)


def test_the_newest_document_of_a_kind_counts(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    system = GradedSystem(id="local", unit="320000", name="本机", level=3, grade="S3A3G3")
    RegistryStore(engine).register(system, unit_name="江苏省", now=NOW)
    store = DocumentStore(engine)
    for hits in (1, 2):
        store.add(imported(FIREWALL, {"device": "fw1", "hits": hits}))
    store.add(imported(KINDS["backup.jobs"], {"job": "a"}))
    assert [(one.kind, one.id) for one in store.newest("local")] == [
        ("backup.jobs", 3),
        ("firewall.policy", 2),
    ]
    assert store.newest("local")[1].rows == ({"device": "fw1", "hits": 2},)
    assert [one.id for one in store.page("local", before=3)] == [2, 1]
    assert store.newest("other") == []
    engine.dispose()


@pytest.mark.parametrize(
    "text", ["[", "- kind: a", "- {kind: a, title: {zh: a, en: a}, columns: {}, object: b}", "a"]
)
def test_wrong_kinds_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.yaml").write_text(text)
    with pytest.raises(BadInput, match="documents-malformed"):
        load_kinds(tmp_path / "d.yaml")
