"""The Evidence leaf: canonical bytes."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import Evidence, from_leaf, leaf_bytes


@given(subject=st.text(max_size=30), sequence=st.integers(0, 2**40))
def test_same_record_same_bytes_and_back(subject: str, sequence: int) -> None:
    record = Evidence(
        kind="evaluation",
        center="c",
        sequence=sequence,
        time=datetime(2026, 11, 22, tzinfo=UTC),
        actor="system:jobs",
        subject=subject,
        summary="s",
        payload_sm3="0" * 64,
        payload_bytes=1,
    )
    data = leaf_bytes(record)
    assert from_leaf(data) == record
    assert leaf_bytes(from_leaf(data)) == data
    assert data.startswith(b'{"actor":')
