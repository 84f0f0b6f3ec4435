"""Upgrades: a real sensor process goes over to a signed release, and comes back from one that dies."""

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.link_trust import LinkTrust
from crypto.words import Refused
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der
from sensors.bundle import make
from sensors.heartbeat import read_status
from sensors.host.settings import HostSettings
from sensors.lifecycle import running_pid
from sensors.settings import Settings, write_settings
from sensors.upgrade import adopt, check, current_version, launcher, owned, take_into_use, unpack

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0
QUIET = HostSettings(
    processes=False,
    listeners=False,
    logins=False,
    auth_logs=[],
    journal=False,
    file_integrity=False,
    probes=False,
)


class World:
    """A center that signs bundles and a sensor enrolled there; the center's door is closed."""

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC)
        self.folder, self.data, self.prefix = folder, folder / "data", folder / "prefix"
        self.authority = LinkAuthority(folder / "center")
        self.authority.create("city", now)
        self.signer = SigningKey.generate()
        asked = request_der(self.signer, "center-sign", Subject(common_name="city", id="city"))
        self.chain = self.authority.issue_signer(pem.encode(asked, REQUEST), center="city", now=now)
        key = SigningKey.generate()
        asked = request_der(key, "sensor", Subject(common_name="web", id="web"))
        chain = self.authority.issue_sensor(pem.encode(asked, REQUEST), sensor="web", unit="u", now=now)
        LinkIdentity(key=key, chain=chain).save(self.data / "keys" / "sensor.pem")
        self.trust = LinkTrust(self.data / "keys" / "trust")
        self.trust.pin(self.authority.bundle(), self.authority.root().fingerprint, now)
        write_settings(
            self.data, Settings(id="web", unit="u", kind="host", center=["127.0.0.1:1"], host=QUIET)
        )
        self.processes: list[subprocess.Popen[bytes]] = []

    def bundle(self, version: str, files: dict[str, str] | None = None) -> Path:
        """This very program under another version, with some files of its own."""
        wheel = self.folder / f"liuhe-{version}-py3-none-any.whl"
        content = {
            path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
            for name in ("crypto", "sensors", "soc_api", "rules")
            for path in sorted((ROOT / name).rglob("*"))
            if path.suffix in (".py", ".toml")
        }
        content[f"liuhe-{version}.dist-info/METADATA"] = (
            f"Metadata-Version: 2.1\nName: liuhe\nVersion: {version}\n"
        )
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in (content | (files or {})).items():
                archive.writestr(name, text)
        path = self.folder / f"{version}.bundle"
        with path.open("wb") as out:
            make(
                out,
                [wheel],
                version=version,
                center="city",
                key=self.signer,
                chain=self.chain,
                now=datetime.now(UTC),
            )
        return path

    def start(self) -> None:
        command = [str(launcher(self.prefix)), "sensor", "run", "--data", str(self.data)]
        log = (self.folder / "log").open("ab")
        self.processes.append(subprocess.Popen(command, stderr=log, cwd="/"))
        log.close()

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.stop()


def until(condition: Callable[[], bool], world: World) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, (world.folder / "log").read_text()[-2000:]
        time.sleep(0.1)


def beats(world: World, version: str, since: datetime) -> bool:
    status = read_status(world.data / "run")
    return status is not None and status.version == version and status.time >= since


def test_the_running_program_is_the_first_release(world: World) -> None:
    path = adopt(world.prefix, "0.1.0")
    assert current_version(world.prefix) == "0.1.0"
    assert owned(world.prefix)
    assert os.access(path, os.X_OK)
    adopt(world.prefix, "0.2.0")
    assert current_version(world.prefix) == "0.1.0"


@pytest.mark.slow
def test_older_foreign_and_damaged_bundles_leave_everything_as_it_was(world: World) -> None:
    adopt(world.prefix, "5.0")
    now = datetime.now(UTC)
    with pytest.raises(Refused) as caught:
        unpack(world.bundle("4.9"), world.prefix, world.trust.store(), older=False, now=now)
    assert caught.value.code == "bundle-older"
    path = world.bundle("5.1")
    raw = bytearray(path.read_bytes())
    raw[-10] ^= 1
    path.write_bytes(raw)
    with pytest.raises(Refused) as caught:
        unpack(path, world.prefix, world.trust.store(), older=False, now=now)
    assert caught.value.code == "bundle-damaged"
    assert current_version(world.prefix) == "5.0"
    assert not (world.prefix / "releases" / "5.1").exists()


@pytest.mark.slow
def test_a_release_that_cannot_even_start_is_never_switched_to(world: World) -> None:
    adopt(world.prefix, "0.1.0")
    broken = world.bundle("9.0", {"soc_api/cli.py": "raise SystemExit('no such library')\n"})
    unpack(broken, world.prefix, world.trust.store(), older=False, now=datetime.now(UTC))
    with pytest.raises(Refused) as caught:
        check(world.prefix, world.data, "9.0")
    assert caught.value.code == "upgrade-unfit"
    assert current_version(world.prefix) == "0.1.0"


@pytest.mark.slow
def test_a_running_sensor_goes_over_and_comes_back_from_a_release_that_dies(world: World) -> None:
    from importlib.metadata import version

    adopt(world.prefix, version("liuhe"))
    began = datetime.now(UTC)
    world.start()
    until(lambda: beats(world, version("liuhe"), began), world)
    first = running_pid(world.data / "run")
    command = [sys.executable, "-m", "soc_api.cli", "sensor", "upgrade", str(world.bundle("9.0.1"))]
    where = ["--data", str(world.data), "--prefix", str(world.prefix)]
    done = subprocess.run([*command, *where], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert beats(world, "9.0.1", began)
    assert running_pid(world.data / "run") == first  # the same process, started anew in place
    assert current_version(world.prefix) == "9.0.1"

    dying = "raise RuntimeError('this release dies when it runs')\n"
    unpack(
        world.bundle("9.0.2", {"sensors/sensor.py": dying}),
        world.prefix,
        world.trust.store(),
        older=False,
        now=datetime.now(UTC),
    )
    check(world.prefix, world.data, "9.0.2")
    again = datetime.now(UTC)
    with pytest.raises(Refused) as caught:
        take_into_use(world.prefix, world.data, "9.0.2", seconds=8.0, revive=world.start)
    assert caught.value.code == "upgrade-rolled-back"
    assert current_version(world.prefix) == "9.0.1"
    until(lambda: beats(world, "9.0.1", again), world)


@pytest.mark.slow
def test_without_a_running_sensor_the_switch_waits_for_the_next_start(world: World) -> None:
    adopt(world.prefix, "0.1.0")
    manifest = unpack(
        world.bundle("9.0"), world.prefix, world.trust.store(), older=False, now=datetime.now(UTC)
    )
    check(world.prefix, world.data, manifest.version)
    assert not take_into_use(world.prefix, world.data, "9.0").restarted
    assert current_version(world.prefix) == "9.0"
