"""Tables applied to records: kinds hold, bounds hold, the shipped tables are sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.device.mapping import LIST_MAX, NAMES_MAX, add_community_id, flat, mapped, targets
from sensors.event import Value
from sensors.host.tables import shipped


def test_values_of_the_wrong_kind_are_left_out() -> None:
    table = targets(
        {"a": "source.ip:ip", "b": "source.port:port", "c": "source.bytes:count", "d": "source.mac:mac"}
    )
    wrong: dict[str, Value] = {"a": "10.0.0.300", "b": 70_000, "c": -1, "d": "zz-00"}
    assert mapped(wrong, table) == {}
    right: dict[str, Value] = {"a": "[2001:DB8::1]", "b": "443", "c": 7.0, "d": "00:1a:2b:3c:4d:5e"}
    assert mapped(right, table) == {
        "source.ip": "2001:db8::1", "source.port": 443, "source.bytes": 7, "source.mac": "00-1A-2B-3C-4D-5E",
    }  # fmt: skip


def test_the_first_name_in_the_table_wins() -> None:
    table = targets({"src": "source.ip:ip", "other": "source.ip:ip"})
    assert mapped({"other": "10.0.0.2", "src": "10.0.0.1"}, table) == {"source.ip": "10.0.0.1"}


def test_a_kind_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="weekday"):
        targets({"a": "b:weekday"})


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("cef", ["fields"]),
        ("leef", ["fields"]),
        ("suricata", ["common", "alert", "flow", "dns", "tls", "http", "ssh", "fileinfo"]),
        ("zeek", ["common", "conn", "dns", "ssl", "http", "ssh", "files", "smb_files", "notice", "kerberos"]),
    ],
)
def test_the_shipped_tables_compile(name: str, parts: list[str]) -> None:
    for part in parts:
        assert targets(shipped(name)[part])


def test_flattening_is_bounded() -> None:
    deep: dict[str, object] = {}
    at = deep
    for _ in range(50):
        at["a"] = {}
        at = at["a"]  # type: ignore[assignment]
    wide = {f"k{n}": n for n in range(NAMES_MAX * 2)}
    assert len(flat(wide)) == NAMES_MAX
    assert flat(deep) == {}
    assert flat({"l": [*range(LIST_MAX * 2)], "big": 2**70, "n": None, "o": [{"x": 1}]}) == {
        "l": [*range(LIST_MAX)], "big": str(2**70), "n": None,
    }  # fmt: skip


def test_a_community_id_as_its_specification_computes_it() -> None:
    fields: dict[str, Value] = {
        "network.transport": "tcp", "source.ip": "128.232.110.120", "source.port": 34_855,
        "destination.ip": "66.35.250.204", "destination.port": 80,
    }  # fmt: skip
    add_community_id(fields)
    assert fields["network.community_id"] == "1:LQU9qZlK+B5F3KDmev6m5PMibrg="


@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.floats() | st.booleans())
)
def test_any_scalars_map_or_are_left_out(record: dict[str, Value]) -> None:
    kinds = ("", ":lower", ":ip", ":port", ":count", ":integer", ":mac", ":list", ":transport")
    for kind in kinds:
        mapped(flat(record), targets(dict.fromkeys(record, f"x{kind}")))
