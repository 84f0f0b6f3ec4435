"""Peer groups: the list first, by name, address and unit; else the platform, inside or outside."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.anomaly.peers import open_peers
from sensors.event import Event, LogSource

LIST = """
[[groups]]
name = "database"
zh = "数据库服务器"
en = "database servers"
hosts = ["db-*", "*.db.example", "oracle"]
networks = ["10.9.0.0/16", "fd09::/16"]

[[groups]]
name = "front"
zh = "前置机"
en = "front ends"
hosts = ["fe-*"]
units = ["a"]
"""


def event(unit: str = "a", product: str = "linux") -> Event:
    return Event(
        id="1",
        time=datetime(2026, 3, 2, tzinfo=UTC),
        unit=unit,
        sensor="s",
        logsource=LogSource(product=product),
        fields={},
    )


def test_the_list_counts_first(tmp_path: Path) -> None:
    (tmp_path / "peers.toml").write_text(LIST, encoding="utf-8")
    peers = open_peers(tmp_path)
    for name in ("db-1", "DB-2", "x.db.example", "oracle", "10.9.3.4", "fd09::7"):
        assert peers.of(name, event()) == "database"
    assert peers.of("fe-1", event()) == "front"
    assert peers.of("fe-1", event("b")) == "linux"
    assert peers.of("oracle2", event()) == "linux"
    assert peers.words("database").en == "database servers"


def test_without_a_list_the_platform_and_the_networks_tell() -> None:
    peers = open_peers()
    assert peers.of("web1", event()) == "linux"
    assert peers.of("web1", event(product="Kylin V10/x")) == "kylin-v10-x"
    assert peers.of("web1", event(product="")) == ""
    assert (peers.of("10.0.0.1", event()), peers.of("203.0.113.9", event())) == ("inside", "outside")
    assert peers.of("fe80::1%eth0", event()) in ("inside", "outside")
    for group in ("", "inside", "outside", "linux"):
        assert peers.words(group).zh


@pytest.mark.parametrize(
    "text",
    [
        LIST.replace("database", "Data/base"),
        LIST.replace("db-*", "d*b"),
        LIST.replace("db-*", "*"),
        LIST.replace("10.9.0.0/16", "10.9"),
        LIST.replace('"front"', '"database"'),
        "groups = 3",
    ],
)
def test_a_wrong_list_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "peers.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        open_peers(tmp_path)
    assert "peers.toml" in (caught.value.field or "")
