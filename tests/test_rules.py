"""Every shipped rule is proven: it loads, hits, misses, keeps silent on benign logs and pleases sigma-cli."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from detection.sigma.load import load_rules
from detection.sigma.rule import Rule
from detection.sigma.samples import prove

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "rules" / "sigma"
SAMPLES = ROOT / "rules" / "samples"
RULES_MIN = 30
# sigma-cli fetches the lists behind these two from the network; the tags' form is checked below
FETCHING_VALIDATORS = ("attacktag", "d3_fendtag")


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    loaded, errors = load_rules([RULES])
    assert [str(error) for error in errors] == []
    return loaded


def test_there_are_enough_rules_for_hosts_and_networks(rules: list[Rule]) -> None:
    assert len(rules) >= RULES_MIN
    assert {"linux", "zeek"} <= {rule.logsource.product for rule in rules}


def test_every_rule_hits_misses_and_is_silent_on_benign_logs(rules: list[Rule]) -> None:
    wrong = [str(error) for proof in prove(rules, SAMPLES) for error in proof.wrong]
    assert wrong == []


def test_every_rule_speaks_both_languages(rules: list[Rule]) -> None:
    for rule in rules:
        assert _chinese(rule.title.zh), rule.path
        assert not _chinese(rule.title.en), rule.path
        assert rule.reason is not None, rule.path
        assert _chinese(rule.reason.zh), rule.path
        assert not _chinese(rule.reason.en), rule.path
        assert rule.description.en, rule.path


def test_every_rule_names_its_techniques_clauses_and_author(rules: list[Rule]) -> None:
    for rule in rules:
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
        [sigma, "check", "--fail-on-error", "--fail-on-issues", *excluded, RULES],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
