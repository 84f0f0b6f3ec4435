"""What is checked before anything is sent."""

from pathlib import Path

import pytest

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


def test_an_absent_center_is_named(tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught:
        enrol(tmp_path, TOKEN, kind="host", sensor="a")
    assert (caught.value.code, caught.value.field) == ("center-unreachable", "127.0.0.1:1")
