"""Tests of crypto.otp: the RFC's vectors, spent and neighbouring steps, secrets as people type them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.otp import (
    DRIFT_STEPS,
    STEP_SECONDS,
    code_at,
    code_of_counter,
    enrol_uri,
    matching_step,
    new_secret,
    secret_of,
    secret_text,
    step_of,
)
from crypto.sm3 import hmac_sm3
from crypto.words import BadInput

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [(59, "46119246"), (1111111109, "68084774"), (1234567890, "91819424"), (20000000000, "77737706")],
)
def test_the_vectors_of_rfc_6238_for_sha_256(seconds: int, eight_digits: str) -> None:
    secret = b"12345678901234567890123456789012"
    assert code_at(secret, datetime.fromtimestamp(seconds, UTC), "sha256") == eight_digits[-6:]


def test_sm3_takes_its_place_in_the_same_truncation() -> None:
    secret = bytes(range(20))
    digest = hmac_sm3(secret, (7).to_bytes(8, "big"))
    place = digest[31] & 15
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    assert code_of_counter(secret, 7) == str(number % 1_000_000).zfill(6)
    assert code_of_counter(secret, 7) != code_of_counter(secret, 7, "sha256")


@pytest.mark.parametrize("steps", range(-3, 4))
def test_a_code_is_good_near_its_step_alone(steps: int) -> None:
    secret = bytes(20)
    shown = code_at(secret, NOW + timedelta(seconds=steps * STEP_SECONDS))
    expected = step_of(NOW) + steps if abs(steps) <= DRIFT_STEPS else None
    assert matching_step(secret, shown, NOW) == expected


def test_a_spent_step_and_earlier_ones_are_refused() -> None:
    secret, step = bytes(20), step_of(NOW)
    assert matching_step(secret, code_of_counter(secret, step), NOW, after=step) is None
    assert matching_step(secret, code_of_counter(secret, step - 1), NOW, after=step) is None
    assert matching_step(secret, code_of_counter(secret, step + 1), NOW, after=step) == step + 1
    assert matching_step(secret, "", NOW) is None
    assert matching_step(secret, "é23456", NOW) is None


@given(st.binary(min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_a_secret_survives_being_typed(secret: bytes) -> None:
    text = secret_text(secret)
    assert secret_of(text) == secret_of(text.lower().replace(" ", "-")) == secret


def test_what_is_no_secret_is_refused() -> None:
    with pytest.raises(BadInput, match="otp-secret"):
        secret_of("not base 32: 1889!")


def test_the_address_names_algorithm_and_person() -> None:
    secret = new_secret()
    uri = enrol_uri(secret, issuer="六合 A", person="zhang", hash_name="sm3")
    assert uri.startswith("otpauth://totp/%E5%85%AD%E5%90%88%20A:zhang?secret=")
    assert "algorithm=SM3&digits=6&period=30" in uri
    assert len(secret_text(secret).replace(" ", "")) == 32
