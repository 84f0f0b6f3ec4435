"""Tactics are read from tags in both of their spellings, each once."""

from detection.sigma.tactics import TACTICS, tactics_of


def test_both_spellings_techniques_left_out() -> None:
    tags = [
        "attack.defense_evasion",
        "attack.t1059.004",
        "attack.Execution",
        "attack.defense-evasion",
        "cve.1",
    ]
    assert tactics_of(tags) == ("defense-evasion", "execution")
    assert tactics_of(None) == tactics_of("attack.execution") == ()


def test_every_tactic_is_named_in_both_languages() -> None:
    assert all(words.zh and words.en and words.zh != words.en for words in TACTICS.values())
