"""What a center says of itself, and everything a start would stumble over at once."""

from pathlib import Path

import pytest

from crypto.words import LiuheError
from soc_api.migrate import newest_revision
from soc_api.status import CERTIFIED_NOTE, CRYPTO_NOTE, problems_of, status_of
from soc_api.supervisor import only_one


def test_a_center_that_does_not_run(center: Path) -> None:
    status = status_of(center)
    assert (status["running"], status["pid"], status["serving"]) == (False, None, False)
    assert (status["open_alerts"], status["sensors_seen"], status["ledger_size"]) == (0, 0, 0)
    assert status["crypto_backend"] == "openssl"
    assert {"未经认证", "密评不计分"} <= set(CRYPTO_NOTE.zh.split(",")[1:])
    assert status["cryptography"] in CRYPTO_NOTE
    assert status["cryptography_certified"] in CERTIFIED_NOTE
    assert "经认证的模块" in CERTIFIED_NOTE.zh
    assert "SM2 OpenSSL" in str(status["crypto_libraries"])
    assert str(status["console"]).startswith("http://127.0.0.1:")
    with only_one(center / "run"):
        assert status_of(center)["running"] is True


def test_no_center_no_status(tmp_path: Path) -> None:
    with pytest.raises(LiuheError, match="center-absent"):
        status_of(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_whole_center_has_no_problems(center: Path) -> None:
    assert problems_of(center) == []


def test_all_problems_are_told_at_once(center: Path) -> None:
    (center / "keys" / "ledger.pem").unlink()
    (center / "keys" / "link.pem").write_text("damaged")
    (center / "state.sqlite").write_bytes(b"not a database, " * 100)
    found = "\n".join(problems_of(center))
    for code in ("key-unreadable", "pem-malformed", "state-open"):
        assert code in found, code


def test_a_key_others_can_read_is_a_problem(center: Path) -> None:
    (center / "keys" / "ledger.pem").chmod(0o644)
    assert "key-exposed" in problems_of(center)[0]


def test_a_lost_or_old_state_is_a_problem_and_a_check_makes_nothing(center: Path) -> None:
    (center / "state.sqlite").write_bytes(b"")
    (problem,) = problems_of(center)
    assert newest_revision() in problem
    (center / "state.sqlite").unlink()
    assert "state-open" in problems_of(center)[0]
    assert not (center / "state.sqlite").exists()


def test_bad_settings_and_a_file_that_cannot_be_read_are_one_line_each(center: Path) -> None:
    (center / "center.toml").write_text("roles = [")
    found = problems_of(center)
    assert sum("center-config" in line for line in found) == 1
    (center / "center.toml").unlink()
    (center / "center.toml").mkdir()
    assert any("center.toml" in line for line in problems_of(center))
