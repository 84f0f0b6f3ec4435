"""What was arranged by columns comes back byte for byte; what is no such arrangement is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.segment_columns import arranged, restored

names = st.sampled_from(["id", "event.dataset", 'a"b', "x:", "", "ü"])
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(['":', '"', "\\", "\n\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
lines = st.dictionaries(names, values, max_size=6).map(lambda one: json.dumps(one).encode())


@settings(max_examples=60, deadline=None)
@given(payloads=st.lists(lines | st.binary(max_size=20), min_size=1, max_size=30))
def test_any_payloads_come_back(payloads: list[bytes]) -> None:
    found = arranged(payloads)
    apart = any(byte in payload for payload in payloads for byte in b"\n\0")
    assert (found is None) == apart
    if found is not None:
        assert restored(found, len(payloads), 1 << 20) == payloads


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=80), count=st.integers(0, 8))
def test_any_bytes_are_payloads_or_none(content: bytes, count: int) -> None:
    found = restored(content, count, 1 << 20)
    assert found is None or len(found) == count


PAYLOADS = [b'{"a":1,"b":"x"}', b'{"b":"y"}', b'{"a":2,"b":"z"}', b"", b"plain"]


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole[:-1] + b"\n",  # one value more than rows
        lambda whole: whole + b"\0",  # a group without its columns
        lambda whole: b"\xff\xff" + whole[2:],  # a group that is not there
        lambda whole: whole[2:4] + whole[2:],  # a row too many in one group, too few in another
        lambda whole: whole[:8],
    ],
)
def test_what_does_not_add_up_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    whole = arranged(PAYLOADS)
    assert whole is not None
    assert restored(whole, len(PAYLOADS), 1 << 20) == PAYLOADS
    assert restored(change(whole), len(PAYLOADS), 1 << 20) is None


def test_like_stands_beside_like() -> None:
    found = arranged([b'{"a":1,"b":7}', b'{"a":2,"b":8}'])
    assert found == b'\0\0\0\0a"b"\0' + b'{"\n{"\0' + b'1,"\n2,"\0' + b"7}\n8}"


def test_a_long_name_for_many_rows_is_not_written_out() -> None:
    rows = 60_000
    content = bytes(2 * rows) + b"n" * 1_000_000 + b'"\0' + b"\n" * (rows - 1) + b"\0" + b"\n" * (rows - 1)
    assert restored(content, rows, 1 << 24) is None
