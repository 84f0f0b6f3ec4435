"""The harness itself: it finds a rule that misses its hit, hits its miss, or is loud on benign logs."""

import json
from pathlib import Path

import msgspec
import pytest

from crypto.words import BadInput
from detection.sigma.load import load_rules
from detection.sigma.rule import Rule
from detection.sigma.samples import prove, read_samples, sample_folder

RULE = """title: Evil Word
id: 5b9c7a3e-8f10-4d7b-9a55-0f7f3f5c9c11
logsource: {product: linux, category: process_creation}
detection: {sel: {CommandLine|contains: evil}, condition: sel}
level: low
"""
SOURCE = {"product": "linux", "category": "process_creation"}


def sample(line: str, **more: object) -> str:
    return json.dumps({"logsource": SOURCE, "fields": {}, "native": {"CommandLine": line}, **more}) + "\n"


@pytest.fixture
def rule(tmp_path: Path) -> Rule:
    path = tmp_path / "sigma" / "host" / "evil_word.yml"
    path.parent.mkdir(parents=True)
    path.write_text(RULE)
    (loaded,), errors = load_rules([path])
    assert errors == []
    return loaded


def codes(rule: Rule, tmp_path: Path, hit: str, miss: str, benign: str = "") -> list[str]:
    samples = tmp_path / "samples"
    folder = sample_folder(rule, samples)
    assert folder == samples / "host" / "evil_word"
    folder.mkdir(parents=True)
    (samples / "benign").mkdir()
    (folder / "hit.ndjson").write_text(hit)
    (folder / "miss.ndjson").write_text(miss)
    (samples / "benign" / "day.ndjson").write_text(benign)
    (proof,) = prove([rule], samples)
    return [error.code for error in proof.wrong]


def test_a_good_rule_passes(rule: Rule, tmp_path: Path) -> None:
    assert codes(rule, tmp_path, sample("evil") + sample("EVIL x"), sample("good"), sample("good")) == []


def test_a_line_that_does_not_hit_or_does_not_miss_is_found(rule: Rule, tmp_path: Path) -> None:
    found = codes(rule, tmp_path, sample("evil") + sample("good"), sample("evil"))
    assert found == ["sample-surprise", "sample-surprise"]


def test_a_hit_of_another_log_source_is_no_hit(rule: Rule, tmp_path: Path) -> None:
    hit = sample("evil", logsource={"product": "windows", "category": "process_creation"})
    assert codes(rule, tmp_path, hit, sample("good")) == ["sample-surprise"]


def test_missing_malformed_and_loud_are_found(rule: Rule, tmp_path: Path) -> None:
    found = codes(rule, tmp_path, "", "{}\n", sample("some evil"))
    assert found == ["sample-missing", "sample-malformed", "sample-benign"]


def test_an_error_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "hit.ndjson"
    path.write_text(sample("x") + "{oops\n")
    with pytest.raises(BadInput) as caught:
        read_samples(path)
    assert caught.value.field == f"{path}:2"
    path.write_text(sample("x", time="2026-01-01T00:00:00"))
    with pytest.raises(BadInput, match="zone"):
        read_samples(path)


def test_the_last_folder_of_rules_in_the_path_counts(rule: Rule, tmp_path: Path) -> None:
    path = tmp_path / "sigma" / "rules" / "correlation" / "host" / "evil_story.yml"
    story = msgspec.structs.replace(rule, path=str(path))
    assert sample_folder(story, Path("samples")) == Path("samples/correlation/host/evil_story")
    alone = msgspec.structs.replace(rule, path="evil_word.yml")
    assert sample_folder(alone, Path("samples")) == Path("samples/evil_word")
