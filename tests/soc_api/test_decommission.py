"""P-27: what a center leaves behind opens nothing; its processes dump no memory; sessions leave nothing."""

import resource
from pathlib import Path
from typing import Any

import pytest

from crypto.words import LiuheError, Refused
from soc_api import run
from soc_api.decommission import RECORD, wipe_keys
from soc_api.folders import Folders, create
from soc_api.secret_box import SecretBox, center_key
from soc_api.settings import Settings


def test_p27_decommissioning_wipes_every_key_and_what_was_sealed_stays_sealed(tmp_path: Path) -> None:
    data = tmp_path / "center"
    create(data, Settings())
    keys = Folders(data).keys
    sealed = SecretBox(center_key(keys), "test").seal(b"secret", "x")
    with pytest.raises(Refused, match="decommission-name"):
        wipe_keys(data, "another", actor="local:root")
    assert SecretBox(center_key(keys), "test").open(sealed, "x") == b"secret"
    before = {str(path.relative_to(data)) for path in keys.rglob("*") if path.is_file()}
    assert set(wipe_keys(data, "local", actor="local:root")) >= before
    assert [path for path in keys.rglob("*") if path.is_file()] == []
    assert '"keys/center.key"' in (data / RECORD).read_text()
    with pytest.raises(LiuheError, match="secret-sealed"):
        SecretBox(center_key(keys), "test").open(sealed, "x")  # a new key is another key


def test_p27_processes_of_the_center_dump_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[Any] = []
    monkeypatch.setattr(run.resource, "setrlimit", lambda *given: set_to.append(given))
    monkeypatch.setattr(run.os, "umask", set_to.append)
    run._keep_to_ourselves()
    assert set_to == [0o077, (resource.RLIMIT_CORE, (0, 0))]


def test_p27_logging_out_purges_what_the_session_held(world: Any) -> None:
    client = world.signed_in("analyst")
    client("POST", "/names", json={"reason": "核实当事人", "minutes": 10})
    assert world.center.privacy._open
    assert client("DELETE", "/session").status_code == 204
    assert world.center.privacy._open == {}
    assert client("GET", "/names").status_code == 401


def test_p27_no_secret_stands_in_the_audit_log(world: Any) -> None:
    world.signed_in("analyst")
    world.client().login("analyst", "Wrong-horse-77")
    said = str(world.audited())
    assert world.password not in said
    assert "Wrong-horse-77" not in said
