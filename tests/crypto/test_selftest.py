"""The self-test passes here and stops the process where a step is wrong."""

import pytest

from crypto import selftest
from crypto.backends.openssl import OpenSsl
from crypto.words import LiuheError

NAMES = ("SM3_ABC", "SM3_BLOCK", "HMAC", "SM4_BLOCK", "GCM", "CCM", "SM2_SIGNATURE", "SM2_CIPHERTEXT")


def test_all_steps_pass() -> None:
    names = selftest.check(OpenSsl())
    assert names == selftest.self_test()
    assert len(names) == len(selftest.STEPS) + len(selftest.KEY_STEPS)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_result_stops(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    value = getattr(selftest, f"_{name}")
    wrong = value[:-1] + bytes((value[-1] ^ 1,)) if isinstance(value, bytes) else "00"
    monkeypatch.setattr(selftest, f"_{name}", wrong)
    with pytest.raises(LiuheError, match="crypto-selftest"):
        selftest.check(OpenSsl())


@pytest.mark.parametrize("name", [name for name, _ in selftest.STEPS + selftest.KEY_STEPS])
def test_every_step_can_stop(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def failing(steps: tuple[selftest.Step, ...]) -> tuple[selftest.Step, ...]:
        return tuple((each, (lambda _: False) if each == name else step) for each, step in steps)

    monkeypatch.setattr(selftest, "STEPS", failing(selftest.STEPS))
    monkeypatch.setattr(selftest, "KEY_STEPS", failing(selftest.KEY_STEPS))
    with pytest.raises(LiuheError) as caught:
        selftest.check(OpenSsl())
    assert caught.value.field == name
