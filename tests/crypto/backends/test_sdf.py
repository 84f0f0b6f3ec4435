"""The C interface of cipher machines: every order of arguments, passwords, faults of the device."""

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crypto.backends.sdf import DecryptOrder, Sdf
from crypto.selftest import check
from crypto.sm2 import Sm2PrivateKey
from crypto.words import BadInput, LiuheError, Refused

Build = Callable[[str], Path]


def opened(machine: Sdf, index: int = 1) -> tuple[Sm2PrivateKey, Sm2PrivateKey]:
    """Both pairs of an index."""
    signing = machine.signing_key(index, bytearray(b"device"))
    decrypting = machine.decryption_key(index, bytearray(b"device"))
    return Sm2PrivateKey(signing, backend=machine), Sm2PrivateKey(decrypting, backend=machine)


@pytest.fixture(name="fault")
def _fault(build_machine: Build) -> Iterator[ctypes.c_int]:
    library = ctypes.CDLL(str(build_machine("ORDER_INDEX_ALGORITHM")))
    fault = ctypes.c_int.in_dll(library, "sdf_simulator_fault")
    yield fault
    fault.value = 0


@pytest.mark.parametrize(("define", "order"), [
    ("ORDER_INDEX_ALGORITHM", "index-algorithm"),
    ("ORDER_ALGORITHM_INDEX", "algorithm-index"),
    ("ORDER_INDEX", "index"),
])  # fmt: skip
def test_every_order_of_the_decryption_call(build_machine: Build, define: str, order: DecryptOrder) -> None:
    with Sdf(build_machine(define), decrypt_order=order) as machine:
        signer, opener = opened(machine, 2)
        assert check(machine)[-2:] == ("SDF key 2 sign", "SDF key 2 decrypt")
        signer.public.verify(b"text", signer.sign(b"text"))
        for size in (1, 100, 200, 1000, 60_000):
            assert opener.decrypt(opener.public.encrypt(bytes(size))) == bytes(size)


def test_a_wrong_order_does_not_pass_the_self_test(build_machine: Build) -> None:
    with Sdf(build_machine("ORDER_ALGORITHM_INDEX"), decrypt_order="index-algorithm") as machine:
        opened(machine)
        with pytest.raises(LiuheError, match="crypto-selftest"):
            check(machine)


def test_passwords_are_asked_and_wiped(build_machine: Build) -> None:
    with Sdf(build_machine("ORDER_INDEX_ALGORITHM")) as machine:
        right, wrong = bytearray(b"device"), bytearray(b"wrong.")
        machine.signing_key(1, right)
        with pytest.raises(LiuheError, match="01000007"):
            machine.signing_key(1, wrong)
        assert right == wrong == bytearray(6)
        with pytest.raises(LiuheError, match="sdf-failed"):
            machine.signing_key(9, bytearray(b"device"))


def test_access_ends_with_the_machine(build_machine: Build) -> None:
    with Sdf(build_machine("ORDER_INDEX_ALGORITHM")) as machine:
        signer, opener = opened(machine, 2)
        sealed = opener.public.encrypt(b"text")
    with pytest.raises(LiuheError, match="sdf-failed"):
        signer.sign(b"text")
    with pytest.raises(LiuheError, match="sdf-failed"):
        opener.decrypt(sealed)


def test_keys_stay_inside_and_keep_their_use(build_machine: Build) -> None:
    with Sdf(build_machine("ORDER_INDEX_ALGORITHM")) as machine:
        signer, opener = opened(machine)
        for key in (signer, opener):
            with pytest.raises(Refused, match="sdf-key-inside"):
                key.pkcs8()
        with pytest.raises(Refused, match="sdf-key-use"):
            opener.sign(b"text")
        with pytest.raises(Refused, match="sdf-key-use"):
            signer.decrypt(signer.public.encrypt(b"text"))
        assert len({machine.random(32) for _ in range(4)}) == 4


def test_a_faulty_signature_is_not_given_out(build_machine: Build, fault: ctypes.c_int) -> None:
    with Sdf(build_machine("ORDER_INDEX_ALGORITHM")) as machine:
        signer, _ = opened(machine)
        fault.value = 1
        with pytest.raises(LiuheError, match="sdf-faulty"):
            signer.sign(b"text")


@pytest.mark.parametrize(("value", "step"), [(1, "key 1 sign"), (2, "random"), (3, "key 1 decrypt")])
def test_a_faulty_device_does_not_start(
    build_machine: Build, fault: ctypes.c_int, value: int, step: str
) -> None:
    with Sdf(build_machine("ORDER_INDEX_ALGORITHM")) as machine:
        opened(machine)
        fault.value = value
        with pytest.raises(LiuheError, match=step):
            check(machine)


def test_no_library_is_bad_input(tmp_path: Path) -> None:
    text = tmp_path / "libsdf.so"
    text.write_text("no library")
    for path in (text, tmp_path / "absent.so", Path(ctypes.util.find_library("c") or "libc.so.6")):
        with pytest.raises(BadInput, match="sdf-library"):
            Sdf(path)
