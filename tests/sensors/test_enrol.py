"""What is checked before anything is sent."""

from pathlib import Path

import pytest

from crypto.keys import SigningKey
from crypto.words import BadInput, LiuheError
from sensors.enrol import default_id, enrol
from sensors.token import Token, encode_token

TOKEN = encode_token(Token(addresses=["127.0.0.1:1"], authority=bytes(32), id="a", secret=bytes(32)))


def test_a_name_is_made_from_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Web_01.example.org")
    assert default_id("host") == "web-01-host"
    monkeypatch.setattr("socket.gethostname", lambda: "主机")
    assert default_id("network") == "sensor-network"


def test_a_bad_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        enrol(tmp_path, TOKEN, kind="host", sensor="../x")
    assert caught.value.code == "sensor-id"


@pytest.mark.parametrize("name", ["pending.key", "sensor.pem"])
def test_a_key_that_cannot_be_used_is_made_anew(tmp_path: Path, name: str) -> None:
    """A damaged one, or the certificate of a release whose keys were of another kind."""
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    (keys / name).write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for _ in range(2):
        with pytest.raises(LiuheError, match="center-unreachable"):
            enrol(tmp_path, TOKEN, kind="host", sensor="a")
        made = SigningKey.load(keys / "pending.key")
    assert SigningKey.load(keys / "pending.key").public.key_id == made.public.key_id, "kept for the next try"


def test_an_absent_center_is_named(tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught:
        enrol(tmp_path, TOKEN, kind="host", sensor="a")
    assert (caught.value.code, caught.value.field) == ("center-unreachable", "127.0.0.1:1")
