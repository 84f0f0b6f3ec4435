"""The door in the api process, and the push as console and command line call it."""

import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import transfer_world
from transfer_world import World

from crypto.key_files import KeyFolder
from crypto.words import BadInput, LiuheError, Refused
from soc_api.settings import Transfer
from soc_api.transfer_door import ENCRYPT, SIGN, station_desk, transfer_door
from soc_api.transfer_peers import issue_peer
from soc_api.transfer_push_commands import address, push_package

LOOPBACK = "127.0.0.1"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """City and province of today: door and push read the clock."""
    now = datetime.now(UTC).replace(microsecond=0)
    monkeypatch.setattr(transfer_world, "NOW", now)
    made = World(tmp_path)
    for name, center in (("city", "市中心"), ("province", "省中心")):
        issue_peer(tmp_path / "authority", center, tmp_path / name / "transfer/tls", now)
    keys = KeyFolder(tmp_path / "province/transfer/keys")
    keys.add(SIGN, made.province, None, now)
    keys.add(ENCRYPT, made.wrap, None, now)
    return made


def free_port() -> int:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port: int = free.getsockname()[1]
        return port


def test_a_push_through_the_door_and_its_receipt(world: World) -> None:
    folder = world.folder / "province/transfer"
    transfer = world.exported()
    package = world.city.ferry.sealed(transfer)
    with transfer_door(
        lambda: world.province_parts, folder, Transfer(enabled=True, port=free_port())
    ) as port:
        assert push_package(world.city, package, f"{LOOPBACK}:{port}") == "confirmed"
        with (
            pytest.raises(LiuheError) as caught,
            transfer_door(lambda: world.province_parts, folder, Transfer(enabled=True, port=port)),
        ):
            pass
        assert caught.value.code == "transfer-port"
    assert len(world.province_parts.store.imports()) == 1
    assert all(thread.name != "transfer-door" for thread in threading.enumerate())


def test_only_what_was_exported_is_pushed(world: World) -> None:
    transfer = world.sealed()
    with pytest.raises(Refused) as caught:
        push_package(world.city, world.city.ferry.sealed(transfer), f"{LOOPBACK}:1")
    assert caught.value.code == "transfer-not-exported"


def test_the_door_is_shut_unless_enabled(world: World, tmp_path: Path) -> None:
    with transfer_door(lambda: world.province_parts, tmp_path / "none", Transfer()) as port:
        assert port == 0


def test_without_the_centers_keys_nothing_is_taken(world: World) -> None:
    with pytest.raises(Refused):
        station_desk(world.city)


@pytest.mark.parametrize("text", ["", "host", "host:", ":8620", "host:0", "host:65536", "host:8e3", "h:٨"])
def test_addresses_are_strict(text: str) -> None:
    with pytest.raises(BadInput):
        address(text)


def test_an_address() -> None:
    assert address("[::1]:8620") == ("::1", 8620)
