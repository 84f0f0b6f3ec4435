"""Processing pipelines: applied before translation, by file or installed name, and read as hostile input."""

from pathlib import Path

import pytest
from sigma.plugins import InstalledSigmaPlugins
from sigma.processing.pipeline import ProcessingPipeline

from detection.condition import And, Atom
from detection.sigma.errors import RuleError
from detection.sigma.load import load_all
from detection.sigma.processing import read_pipelines
from sensors.event import LogSource

RULE = """title: Evil
id: 5b9c7a3e-8f10-4d7b-9a55-0f7f3f5c9c11
logsource: {product: windows, category: process_creation}
detection:
    sel: {Image|endswith: '\\evil.exe'}
    condition: sel
"""
PIPELINE = """name: ours
priority: 20
transformations:
  - {id: map, type: field_name_mapping, mapping: {Image: process.executable}}
  - {type: add_condition, name: site, conditions: {host.domain: gov}}
  - {type: change_logsource, category: process, product: windows}
"""
REFUSING = """name: refusing
priority: 10
transformations:
  - type: rule_failure
    message: not for us
    rule_conditions: [{type: logsource, category: process_creation}]
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_rules_are_changed_before_they_are_translated(tmp_path: Path) -> None:
    rule, pipeline = write(tmp_path / "r.yml", RULE), write(tmp_path / "p.yaml", PIPELINE)
    loaded = load_all([rule], {}, processing=read_pipelines([str(pipeline)]), cache=tmp_path / "kept")
    assert loaded.errors == ()
    assert loaded.rules[0].logsource == LogSource(product="windows", category="process")
    assert loaded.rules[0].condition == And(
        (
            Atom("host.domain", "equals", ("gov",), False, "site"),
            Atom("process.executable", "endswith", ("\\evil.exe",), False, "sel"),
        )
    )
    assert not (tmp_path / "kept").exists()
    assert read_pipelines([]) is None


def test_a_rule_the_pipeline_refuses_is_told_and_priority_orders(tmp_path: Path) -> None:
    rule = write(tmp_path / "r.yml", RULE)
    ours, refusing = write(tmp_path / "o.yaml", PIPELINE), write(tmp_path / "f.yaml", REFUSING)
    # the refusing one comes first, before the log source is another
    loaded = load_all([rule], {}, processing=read_pipelines([str(ours), str(refusing)]))
    assert loaded.rules == ()
    assert [(error.code, error.line) for error in loaded.errors] == [("rule-malformed", 4)]
    assert "not for us" in loaded.errors[0].what.en


def test_an_installed_pipeline_is_taken_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ProcessingPipeline.from_yaml(PIPELINE)
    monkeypatch.setattr(
        InstalledSigmaPlugins, "autodiscover", lambda: InstalledSigmaPlugins({}, {"ours": lambda: made}, {})
    )
    loaded = load_all([write(tmp_path / "r.yml", RULE)], {}, processing=read_pipelines(["ours"]))
    assert loaded.rules[0].logsource.category == "process"
    with pytest.raises(RuleError) as caught:
        read_pipelines(["theirs"])
    assert caught.value.code == "pipeline-unknown"
    assert "ours" in caught.value.fix.en


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "- a",
        "transformations: [{type: unheard_of}]",
        "transformations: [{type: field_name_mapping}]",
        "transformations: 5",
        "a: &a [1]\nb: *a",
        "finalizers: [{type: concat}]",
        "postprocessing: [{type: embed, prefix: x}]",
    ],
)
def test_what_is_no_pipeline_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_pipelines([str(write(tmp_path / "p.yaml", text))])
    assert caught.value.code == "pipeline-malformed"
    assert "p.yaml:" in caught.value.field


@pytest.mark.parametrize(
    "kind", ["{type: file_placeholders, path: /etc/passwd}", "{type: command_placeholders, command: id}"]
)
def test_nothing_outside_the_file_is_read_or_run(tmp_path: Path, kind: str) -> None:
    pipeline = write(tmp_path / "p.yaml", f"name: x\npriority: 1\ntransformations: [{kind}]\n")
    rule = write(
        tmp_path / "r.yml", RULE.replace("{Image|endswith: '\\evil.exe'}", "{Image|expand: '%names%'}")
    )
    with pytest.raises(RuleError) as caught:
        _first_error(rule, pipeline)
    assert caught.value.code in ("pipeline-malformed", "rule-malformed")


def _first_error(rule: Path, pipeline: Path) -> None:
    raise load_all([rule], {}, processing=read_pipelines([str(pipeline)])).errors[0]
