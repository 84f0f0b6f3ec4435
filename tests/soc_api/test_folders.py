"""Making a center: whole or not at all, again after a death half-way, for its own user alone."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from compliance.registry_store import RegistryStore
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.sm_tls import server_context
from crypto.words import LiuheError, Refused
from soc_api import folders as module
from soc_api.folders import FIRST_ACCOUNT, Folders, audit_of, create, identity_of, state_engine
from soc_api.migrate import newest_revision, revision_of
from soc_api.settings import Settings, Storage, load_settings

NOW = datetime.now(UTC)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def logs_in(data: Path, password: str) -> bool:
    engine = state_engine(Folders(data), load_settings(data))
    try:
        identity_of(engine, Folders(data)).login(FIRST_ACCOUNT, password, "192.0.2.1", datetime.now(UTC))
    except Refused:
        return False
    finally:
        engine.dispose()
    return True


def test_a_center_is_whole(first_center: tuple[Path, str]) -> None:
    data, password = first_center
    folders = Folders(data)
    assert load_settings(data) == Settings()
    SigningKey.load(folders.ledger_key)
    server_context(LinkAuthority(folders.keys).identity())
    engine = state_engine(folders, Settings())
    try:
        assert revision_of(engine) == newest_revision()
        (system,) = RegistryStore(engine).systems()
        assert (system.unit, system.grade) == (Settings().center.unit, "S3A3G3")
        assert len(RegistryStore(engine).asset_names(system.id)) == 1
        assert identity_of(engine, Folders(data)).must_change(FIRST_ACCOUNT) is True
        assert audit_of(engine).broken_at() is None
    finally:
        engine.dispose()
    assert logs_in(data, password)


def test_nobody_else_may_look(first_center: tuple[Path, str]) -> None:
    data, _ = first_center
    closed = [data, *(path for path in data.iterdir() if path.is_dir())]
    assert {path.name: mode(path) for path in closed} == {path.name: 0o700 for path in closed}
    private = ["center.toml", "state.sqlite", "keys/ledger.pem", "keys/link.pem"]
    assert {name: mode(data / name) for name in private} == dict.fromkeys(private, 0o600)


def test_a_second_center_in_the_folder_is_refused_and_the_first_stays(center: Path) -> None:
    before = {path: path.read_bytes() for path in center.rglob("*") if path.is_file()}
    with pytest.raises(Refused, match="center-exists"):
        create(center, Settings())
    assert {path: path.read_bytes() for path in center.rglob("*") if path.is_file()} == before


def test_a_death_before_the_last_file_can_be_repeated(center: Path, first_center: tuple[Path, str]) -> None:
    (center / "center.toml").unlink()
    key = (center / "keys" / "ledger.pem").read_bytes()
    root = LinkAuthority(center / "keys").root()
    center.chmod(0o755)
    (center / "keys").chmod(0o755)
    password = create(center, Settings())
    assert (center / "keys" / "ledger.pem").read_bytes() == key
    assert LinkAuthority(center / "keys").root() == root
    assert {mode(center), mode(center / "keys")} == {0o700}
    assert logs_in(center, password)
    assert not logs_in(center, first_center[1])


@pytest.mark.parametrize("name", ["_make_keys", "_fill_state", "_register_this_machine", "write_durably"])
def test_a_death_at_any_step_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = tmp_path / "center"
    with monkeypatch.context() as patch:
        patch.setattr(module, name, lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            create(data, Settings())
    assert not (data / "center.toml").exists()
    assert logs_in(data, create(data, Settings()))


def test_key_files_that_stayed_empty_are_made_again(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "ledger.pem").touch(mode=0o600)
    create(tmp_path, Settings())
    SigningKey.load(keys / "ledger.pem")
    server_context(LinkAuthority(keys).identity())


@pytest.mark.parametrize("name", ["report.docx", ".ssh", "center"])
def test_a_folder_of_others_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    tmp_path.chmod(0o755)
    with pytest.raises(Refused, match="folder-occupied"):
        create(tmp_path, Settings())
    assert mode(tmp_path) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_fresh_file_system_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    create(tmp_path, Settings())


def test_what_the_system_refuses_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(LiuheError, match="center-folder"):
        create(file / "center", Settings())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/data/keys")

    monkeypatch.setattr(module, "LinkAuthority", full)
    with pytest.raises(LiuheError, match=r"center-folder.*No space left.*/data/keys"):
        create(tmp_path / "center", Settings())


def elsewhere(url: str) -> Settings:
    return msgspec.structs.replace(Settings(), storage=Storage(state=url))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (lambda _: "sqlite:///state.sqlite", "data/state.sqlite"),
        (lambda _: "sqlite:///other.db", "data/other.db"),
        (lambda folder: f"sqlite:///{folder}/abs.sqlite", "abs.sqlite"),
    ],
)
def test_the_state_lies_where_the_settings_say(
    tmp_path: Path, url: Callable[[Path], str], place: str
) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.touch()
    settings = elsewhere(url(tmp_path))
    engine = state_engine(Folders(tmp_path / "data"), settings)
    assert engine.url.database == str(path)
    engine.dispose()


def test_a_relative_data_folder_and_an_odd_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "中 心?a=%41#b"
    odd.mkdir()
    (odd / "state.sqlite").touch()
    monkeypatch.chdir(tmp_path)
    engine = state_engine(Folders(Path(odd.name)), Settings())
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    engine.dispose()
    assert (odd / "state.sqlite").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [odd.name]


def test_a_lost_state_is_not_replaced_by_an_empty_one(center: Path) -> None:
    (center / "state.sqlite").unlink()
    with pytest.raises(LiuheError, match="state-open"):
        state_engine(Folders(center), load_settings(center))
    assert not (center / "state.sqlite").exists()
