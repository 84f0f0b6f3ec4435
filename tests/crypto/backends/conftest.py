"""Every backend opened once, a simulated cipher machine too, with the key of the standards' examples."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto.backends.choice import BACKENDS
from crypto.backends.interface import Backend
from crypto.backends.sdf import Sdf
from crypto.sm2 import Sm2PrivateKey

VECTORS = Path(__file__).parents[3].parent / "shared/data/crypto/gm_standard_vectors.json"
NAMES = ("openssl", "native", "reference", "sdf")
SCALAR = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
POINT = (
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
PASSWORD = b"device"


@pytest.fixture(name="vectors", scope="session")
def _vectors() -> dict[str, list[dict[str, Any]]]:
    if not VECTORS.exists():
        pytest.skip(f"no standard vectors at {VECTORS}")
    found: dict[str, list[dict[str, Any]]] = json.loads(VECTORS.read_text())
    return found


@pytest.fixture(name="build_machine", scope="session")
def _build_machine(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Compile the simulator with one order of the decryption call's arguments."""
    compiler = shutil.which("cc")
    folder = tmp_path_factory.mktemp("sdf")

    def build(order: str) -> Path:
        if compiler is None:
            pytest.skip("no C compiler to build the simulated cipher machine")
        library = folder / f"libsdf_{order}.so"
        if not library.exists():
            source = Path(__file__).with_name("sdf_simulator.c")
            command = [compiler, "-O1", "-shared", "-fPIC", f"-D{order}", "-o", str(library), str(source)]
            done = subprocess.run(
                [*command, "-l:libcrypto.so.3"], capture_output=True, text=True, check=False
            )
            if done.returncode:
                pytest.skip(f"the simulated cipher machine does not build: {done.stderr[-300:]}")
        return library

    return build


@pytest.fixture(name="machine", scope="session")
def _machine(build_machine: Callable[[str], Path]) -> Iterator[Sdf]:
    with Sdf(build_machine("ORDER_INDEX_ALGORITHM")) as machine:
        yield machine


@pytest.fixture(name="backend", scope="session", params=NAMES)
def _backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "sdf":
        found: Backend = request.getfixturevalue("machine")
        return found
    return BACKENDS[request.param]()


@pytest.fixture(name="signer", scope="session")
def _signer(backend: Backend) -> Sm2PrivateKey:
    """The standards' key pair, to sign."""
    if isinstance(backend, Sdf):
        return Sm2PrivateKey(backend.signing_key(1, bytearray(PASSWORD)), backend=backend)
    return Sm2PrivateKey.from_scalar(bytes.fromhex(SCALAR), bytes.fromhex(POINT), backend=backend)


@pytest.fixture(name="opener", scope="session")
def _opener(backend: Backend, signer: Sm2PrivateKey) -> Sm2PrivateKey:
    """The standards' key pair, to decrypt."""
    if isinstance(backend, Sdf):
        return Sm2PrivateKey(backend.decryption_key(1, bytearray(PASSWORD)), backend=backend)
    return signer
