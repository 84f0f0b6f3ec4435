"""Routes as the kernel writes them: defaults of both families, what it keeps for itself, very many."""

from pathlib import Path

import pytest

from sensors.host.inventory import routes
from sensors.host.inventory.kind import Row, read_table
from sensors.host.probe import HostFiles

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
V4 = (
    "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
    "wlan0\t00000000\t012BA8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
    "*\t0000A9FE\t00000000\t0200\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
)
ZERO = "0" * 32
V6 = (
    f"{ZERO} 00 {ZERO} 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0\n"
    f"fd{'0' * 30} 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001     eth0\n"
    f"fe80{'0' * 28} 40 {ZERO} 00 {ZERO} 00000100 00000002 00000000 00000001     eth0\n"
    f"ff{'0' * 30} 08 {ZERO} 00 {ZERO} 00000100 00000004 00000000 00000001     eth0\n"
    f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200       lo\n"
)


def rows(root: Path, v4: str, v6: str | None) -> tuple[Row, ...]:
    folder = root / "proc/net"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "route").write_text(HEAD + v4)
    if v6 is not None:
        (folder / "ipv6_route").write_text(v6)
    return read_table(routes.KINDS[0], HostFiles(root)).rows


def test_both_families_are_read(tmp_path: Path) -> None:
    assert rows(tmp_path, V4, V6) == (
        ("0.0.0.0/0", "eth0", "10.0.0.1", "100"),
        ("0.0.0.0/0", "wlan0", "192.168.43.1", "600"),
        ("10.0.0.0/24", "eth0", "", "100"),
        ("::/0", "eth0", "fd00::1", "1024"),
        ("fd00::/64", "eth0", "", "256"),
    )


def test_a_host_without_ipv6_has_routes(tmp_path: Path) -> None:
    assert len(rows(tmp_path, V4, None)) == 3


def test_a_router_tells_its_ways_outside_alone(tmp_path: Path) -> None:
    many = "".join(
        f"eth1\t00{n % 256:02X}{n // 256:02X}0B\t0100000A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        for n in range(1_500)
    )
    assert {row[0] for row in rows(tmp_path, many + V4, "")} == {"0.0.0.0/0"}


def test_what_is_no_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((ValueError, LookupError)):
        rows(tmp_path, "eth0 zz zz zz 0 0 0 zz\n", "")
