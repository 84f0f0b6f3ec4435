"""A host made to fail: a root folder with what its probes read, its two sensors, and the faults."""

import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from running_center import RunningCenter, environment
from sensors.host.probe import HostFiles
from sensors.host.probe_exposure import listeners
from sensors.host.probe_remote import management

SSHD: Final = "Port 22\nAllowUsers ops@10.1.0.0/16\nPermitEmptyPasswords no\n"
WEAK_SSHD: Final = SSHD.replace("Passwords no", "Passwords yes")
_RISKY_PORTS: Final = (7001, 8009, 9200, 11211, 27017, 50070)  # of rules/mappings/high_risk_ports.toml
_LOOK_SECONDS: Final = 2.0
_HERE: Final = Path(__file__).parent


def made_root(folder: Path) -> Path:
    """A root folder with a sound host in it; its /proc is this machine's."""
    for name, text in {
        "etc/ssh/sshd_config": SSHD,
        "etc/os-release": 'ID=kylin\nVERSION_ID="V10"\nPRETTY_NAME="Kylin V10"\n',
        "var/lib/dpkg/status": "Package: base-files\nStatus: install ok installed\nVersion: 1\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "proc").symlink_to("/proc")
    put_certificate(folder, timedelta(days=90))
    return folder


def unsound(root: Path) -> str:
    """What of this machine would be a fault by itself, '' where nothing is: ports it listens on."""
    ports = listeners(HostFiles(root)).values["high_risk_ports"]
    secure = management(HostFiles(root)).values["only_secure"]
    return f"this machine listens on {ports}" if ports or not secure else ""


def put_certificate(root: Path, left: timedelta) -> datetime:
    """Give the web server a certificate that ends after ``left``; when that is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.example.gov.cn")])
    now = datetime.now(UTC).replace(microsecond=0)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=300))
    made = builder.not_valid_after(now + left).sign(key, hashes.SHA256())
    path = root / "etc" / "nginx" / "www.pem"
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    beside.replace(path)
    return now + left


def open_port() -> socket.socket:
    """Listen where nobody should, for everybody."""
    for port in _RISKY_PORTS:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("0.0.0.0", port))
        except OSError:
            listener.close()
            continue
        listener.listen()
        return listener
    raise AssertionError("every port tried is in use")


class Sensor:
    """A sensor of this host, enrolled at the center; the host sensor sees ``root`` only."""

    def __init__(self, center: RunningCenter, folder: Path, kind: str, address: str, root: Path) -> None:
        self._folder, self._kind, self._root = folder, kind, root
        token = center.cli("center", "token", "--address", address).stdout.strip()
        command = [sys.executable, "-m", "soc_api.cli", "sensor", "enroll", "--kind", kind]
        subprocess.run(
            [*command, "--token-file", "-", "--data", str(folder)],
            input=token,
            text=True,
            check=True,
            timeout=60,
            env=environment(),
        )
        with (folder / "sensor.toml").open("a", encoding="utf-8") as file:
            file.write(_settings(kind))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it."""
        program = [str(_HERE / "rooted_sensor.py"), str(self._root), str(self._folder)]
        plain = ["-m", "soc_api.cli", "sensor", "run", "--data", str(self._folder)]
        command = [sys.executable, *(program if self._kind == "host" else plain)]
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                env=environment() | {"PYTHONPATH": str(_HERE.parents[1])},
            )

    def stop(self) -> None:
        """End it, as an administrator would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None


def _settings(kind: str) -> str:
    if kind == "network":
        return '\n[network]\ninterfaces = ["absent0"]\n'
    off = ("processes", "audit", "listeners", "logins", "journal", "file_integrity")
    lines = [*(f"{name} = false" for name in off), "auth_logs = []"]
    lines += [f"{name}_interval_seconds = {_LOOK_SECONDS}" for name in ("probe", "inventory")]
    return "\n[host]\n" + "\n".join(lines) + "\n"
