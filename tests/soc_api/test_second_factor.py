"""Tests of soc_api.second_factor: a signed challenge in place of a code, for its person, once and in time."""

from datetime import timedelta
from typing import Any

import pytest

from crypto.keys import SigningKey
from crypto.words import LiuheError
from soc_api.second_factor import CHALLENGE_VALID, CHALLENGES_MAX, Challenges, KeyProof

SOURCE = "192.0.2.9"


@pytest.fixture
def keyed(world: Any) -> Any:
    """An analyst whose key the system administrator has registered."""
    world.name, world.key = world.account("analyst"), SigningKey.generate()
    order = {"person": world.name, "public_pem": world.key.public.pem().decode()}
    kept = world.signed_in("system_admin")("POST", "/person-keys", json=order)
    assert kept.status_code == 201, kept.text
    world.fingerprint = kept.json()["fingerprint"]
    return world


def signed(world: Any, key: SigningKey, name: str = "") -> dict[str, str]:
    answer = world.client()("POST", "/session/challenge", json={"username": name or world.name})
    text = answer.json()["challenge"]
    return {"challenge": text, "key": world.fingerprint, "signature": key.sign(text.encode()).hex()}


def entered(world: Any, proof: dict[str, str], password: str = "") -> tuple[int, str]:
    body = {"username": world.name, "password": password or world.password, "proof": proof}
    answer = world.client()("POST", "/session", json=body)
    return answer.status_code, answer.json().get("code") or answer.json()["factor"]


def test_a_signed_challenge_stands_for_a_code_once(keyed: Any) -> None:
    proof = signed(keyed, keyed.key)
    assert entered(keyed, proof) == (200, "key")
    assert entered(keyed, proof) == (401, "login-refused")
    assert entered(keyed, signed(keyed, keyed.key), "wrong") == (401, "login-refused")


def test_others_keys_names_and_old_challenges_are_refused(keyed: Any) -> None:
    assert entered(keyed, signed(keyed, SigningKey.generate())) == (401, "login-refused")
    keyed.account("shift_lead")
    assert entered(keyed, signed(keyed, keyed.key, "shift-lead")) == (401, "login-refused")
    late = signed(keyed, keyed.key)
    keyed.now += CHALLENGE_VALID + timedelta(seconds=1)
    assert entered(keyed, late) == (401, "login-refused")
    keeper = keyed.client()
    assert keeper.login("system-admin", keyed.password).status_code == 200
    assert keeper("POST", f"/person-keys/{keyed.fingerprint}/revoke").status_code == 204
    assert entered(keyed, signed(keyed, keyed.key)) == (401, "login-refused")


def test_a_key_alone_opens_nothing_for_somebody_elses_account(keyed: Any) -> None:
    other = keyed.account("shift_lead")
    text = keyed.identity.challenge(other, keyed.now)
    proof = KeyProof(challenge=text, key=keyed.fingerprint, signature=keyed.key.sign(text.encode()).hex())
    with pytest.raises(LiuheError, match="login-refused"):
        keyed.identity.login(other, keyed.password, SOURCE, keyed.now, proof=proof)


def test_challenges_are_bounded(world: Any) -> None:
    book = Challenges()
    first = book.give("zhang", world.now)
    for _ in range(CHALLENGES_MAX):
        last = book.give("zhang", world.now)
    assert book.take(first, "zhang", world.now) is None
    assert book.take(last, "zhang", world.now) == world.now


def test_wrong_codes_at_binding_are_counted(world: Any) -> None:
    one_time = world.identity.create_account("zhang", "张三", "analyst", "320000-local", world.now)
    _, visit = world.identity.login("zhang", one_time, SOURCE, world.now)
    world.identity.offer_device(visit, "sha256", world.now)
    for _ in range(5):
        with pytest.raises(LiuheError, match="second-factor-code"):
            world.identity.bind_device(visit, "00000x", world.now)
    with pytest.raises(LiuheError, match="login-locked"):
        world.identity.bind_device(visit, "123456", world.now)
