"""Every shipped rule and correlation is proven: it loads, hits, misses, keeps silent on benign logs, has a
playbook and pleases sigma-cli."""

import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from detection.correlation.proof import prove_correlations
from detection.correlation.rule import Correlation
from detection.sigma.correlations import silent_rules
from detection.sigma.load import Loaded, load_all, load_rules
from detection.sigma.rule import Heading, Rule
from detection.sigma.samples import prove

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "rules" / "sigma"
CORRELATIONS = ROOT / "rules" / "correlation"
SAMPLES = ROOT / "rules" / "samples"
PLAYBOOKS = ROOT / "rules" / "playbooks"
RULES_MIN = 150
CORRELATIONS_MIN = 25
STEPS_MIN = 5
# sigma-cli fetches the lists behind these two from the network; the tags' form is checked below
FETCHING_VALIDATORS = ("attacktag", "d3_fendtag")


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    loaded, errors = load_rules([RULES])
    assert [str(error) for error in errors] == []
    return loaded


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    found = load_all([RULES, CORRELATIONS])
    assert [str(error) for error in found.errors] == []
    return found


@pytest.fixture(scope="module")
def correlations(loaded: Loaded) -> list[Correlation]:
    """The correlations that raise alerts, without those that are only a part of another in their file."""
    parts = {(one.path, part) for one in loaded.correlations for part in one.rules}
    return [one for one in loaded.correlations if (one.path, one.id) not in parts]


def test_there_are_enough_rules_for_hosts_and_networks(rules: list[Rule]) -> None:
    assert len(rules) >= RULES_MIN
    assert {"linux", "zeek", "windows", "liuhe"} <= {rule.logsource.product for rule in rules}


def test_there_are_enough_correlations_and_each_is_raised_and_not_raised(
    loaded: Loaded, correlations: list[Correlation]
) -> None:
    assert len(correlations) >= CORRELATIONS_MIN
    proofs = prove_correlations(loaded, SAMPLES)
    assert {proof.rule.id for proof in proofs} == {one.id for one in correlations}
    assert [str(error) for proof in proofs for error in proof.wrong] == []
    assert all(proof.hits and proof.misses for proof in proofs)


def test_correlations_silence_their_own_steps_and_no_rule_that_stands_on_its_own(
    rules: list[Rule], loaded: Loaded, correlations: list[Correlation]
) -> None:
    loud = {one.id for one in (*rules, *correlations)}
    steps = {one.id for one in (*loaded.rules, *loaded.correlations)} - loud
    silent = silent_rules(loaded.correlations)
    assert silent.isdisjoint(loud)
    assert steps <= silent


def test_every_sample_belongs_to_a_rule(rules: list[Rule], correlations: list[Correlation]) -> None:
    named = {Path(rule.path).resolve().relative_to(RULES).with_suffix("") for rule in rules}
    named |= {Path(one.path).resolve().relative_to(ROOT / "rules").with_suffix("") for one in correlations}
    kept = {path.parent.relative_to(SAMPLES) for path in SAMPLES.rglob("hit.ndjson")}
    assert kept == named


def test_every_rule_stands_in_one_playbook(rules: list[Rule], correlations: list[Correlation]) -> None:
    counted: Counter[str] = Counter()
    for path in sorted(PLAYBOOKS.glob("*.toml")):
        if path.name == "drill.toml":
            continue
        book = tomllib.loads(path.read_text("utf-8"))
        assert set(book) == {"title", "steps", "rules"}, path.name
        assert len(book["steps"]) >= STEPS_MIN, path.name
        for text in (book["title"], *book["steps"]):
            assert _chinese(text["zh"]), path.name
            assert text["en"], path.name
            assert not _chinese(text["en"]), path.name
        counted.update(book["rules"])
    files = [ROOT / "rules" / "anomaly" / f"{name}.toml" for name in ("special", "windows", "entities")]
    texts = "\n".join(path.read_text("utf-8") for path in files)
    built_in = re.findall(r'^rule = "([^"]+)"$', texts, re.MULTILINE)
    assert counted == Counter([*(one.id for one in (*rules, *correlations)), *built_in])


def test_every_rule_hits_misses_and_is_silent_on_benign_logs(rules: list[Rule]) -> None:
    wrong = [str(error) for proof in prove(rules, SAMPLES) for error in proof.wrong]
    assert wrong == []


def test_every_rule_speaks_both_languages(rules: list[Rule], correlations: list[Correlation]) -> None:
    told: list[Heading] = [*rules, *correlations]
    for rule in told:
        assert _chinese(rule.title.zh), rule.path
        assert not _chinese(rule.title.en), rule.path
        assert rule.reason is not None, rule.path
        assert _chinese(rule.reason.zh), rule.path
        assert not _chinese(rule.reason.en), rule.path
        assert _chinese(rule.description.zh), rule.path
        assert rule.description.en, rule.path
        assert not _chinese(rule.description.en), rule.path


def test_every_rule_names_its_techniques_clauses_and_author(
    rules: list[Rule], correlations: list[Correlation]
) -> None:
    told: list[Heading] = [*rules, *correlations]
    for rule in told:
        assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", one) for one in rule.attack), rule.path
        assert all(re.fullmatch(r"\d+(\.\d+){2,4}", clause) for clause in rule.clauses), rule.path
        assert rule.clauses, rule.path
        assert rule.author, rule.path
        assert rule.falsepositives, rule.path


def test_sigma_cli_finds_nothing_to_say(rules: list[Rule]) -> None:
    assert rules
    sigma = Path(sys.executable).with_name("sigma")
    if not sigma.exists():
        pytest.skip("sigma-cli is not installed in this environment")
    excluded = [word for name in FETCHING_VALIDATORS for word in ("--exclude", name)]
    done = subprocess.run(
        [sigma, "check", "--fail-on-error", "--fail-on-issues", *excluded, ROOT / "rules"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
