"""The self-test passes here and stops the process where a step is wrong."""

import pytest

from crypto import selftest
from crypto.words import LiuheError


def test_all_steps_pass() -> None:
    assert len(selftest.self_test()) == len(selftest.STEPS)


@pytest.mark.parametrize("name", ["SM3_ABC", "SM3_BLOCK", "HMAC", "SM2_SIGNATURE"])
def test_a_wrong_result_stops(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wrong: str | bytes = bytes(64) if name == "SM2_SIGNATURE" else "00"
    monkeypatch.setattr(selftest, f"_{name}", wrong)
    with pytest.raises(LiuheError, match="crypto-selftest"):
        selftest.self_test.__wrapped__()
