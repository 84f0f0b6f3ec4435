"""Names of suites and versions."""

import pytest

from sensors.network.tls_names import SM_SUITES, is_grease, suite_name, version_name


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0x1301, "TLS_AES_128_GCM_SHA256"),
        (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (0x00C6, "TLS_SM4_GCM_SM3"),
        (0xE013, "ECC_SM4_CBC_SM3"),
        (0xDEAD, "0xdead"),
    ],
)
def test_suites(number: int, name: str) -> None:
    assert suite_name(number) == name


def test_versions() -> None:
    assert version_name(0x0303) == "TLSv12"
    assert version_name(0x0101) == "TLCPv11"
    assert version_name(0x1234) == "0x1234"


def test_grease() -> None:
    assert is_grease(0x0A0A)
    assert is_grease(0xFAFA)
    assert not is_grease(0x0A1A)
    assert not SM_SUITES & {0x1301, 0xC02F}
