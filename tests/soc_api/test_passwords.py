"""Tests of soc_api.passwords."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from soc_api.passwords import Cost, check_rules, hash_password, matches, one_time_password

CHEAP = Cost(log2_n=4)


def test_a_stored_password_carries_its_parameters_and_a_salt_of_its_own() -> None:
    first, second = (hash_password("Correct-horse-7", CHEAP) for _ in range(2))
    assert first != second
    assert first.startswith("scrypt$4$8$1$")
    assert matches("Correct-horse-7", first)
    assert not matches("Correct-horse-8", first)


def test_the_default_cost_is_slow_enough_to_matter() -> None:
    assert 128 * 8 * 2 ** Cost().log2_n >= 32 * 1024 * 1024


@given(st.text(min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_text_can_be_a_password_and_only_itself_opens(password: str) -> None:
    try:
        stored = hash_password(password, CHEAP)
    except UnicodeEncodeError:
        assert any(0xD800 <= ord(sign) <= 0xDFFF for sign in password)
        return
    assert matches(password, stored)
    assert not matches(password + "x", stored)


@pytest.mark.parametrize(
    "weak", ["Short-1a", "alllowercaseletters", "lowercase12345", "Zhang-wei-2026", "x" * 300 + "A1"]
)
def test_weak_passwords_are_refused_with_the_rule_they_break(weak: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_rules(weak, username="zhang-wei", display_name="张伟")
    assert caught.value.code == "password-weak"
    assert caught.value.field == "new"


@pytest.mark.parametrize("good", ["Correct-horse-7", "六合监管Center99", "abcXUF1804"])
def test_good_passwords_pass(good: str) -> None:
    check_rules(good, username="zhang-wei", display_name="张伟")


def test_one_time_passwords_keep_the_rules_and_never_repeat() -> None:
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        check_rules(password, username="admin", display_name="管理员")
