"""Entries: what cannot be recorded is refused with the field's name."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from compliance.ledger_entry import BATCH_LEAVES_MAX, NewEvidence, check_entries, whole_second
from crypto.words import BadInput

GOOD = NewEvidence(kind="audit", actor="user:a", subject="s", summary="摘要 — é", payload=b"")


def test_good_entries_pass_and_take_their_place() -> None:
    check_entries([GOOD, msgspec.structs.replace(GOOD, source="audit/a", time=datetime.now(UTC))])
    now = datetime(2026, 11, 22, tzinfo=UTC)
    record = GOOD.record("c", 7, 3, "0" * 64, now)
    assert (record.sequence, record.source, record.number, record.time) == (7, "audit", 3, now)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "else"}, "kind"),
        ({"actor": ""}, "actor"),
        ({"actor": "a" * 129}, "actor"),
        ({"source": "a\nb"}, "source"),
        ({"subject": "a\u2028b"}, "subject"),
        ({"summary": "a\ud800b"}, "summary"),
        ({"payload": bytes(64 * 1024 * 1024 + 1)}, "payload"),
        ({"time": datetime(2026, 11, 22)}, "time"),  # noqa: DTZ001
    ],
)
def test_others_are_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_entries([GOOD, msgspec.structs.replace(GOOD, **change)])
    assert refused.value.field == f"entries[1].{field}"


def test_a_batch_is_bounded() -> None:
    with pytest.raises(BadInput):
        check_entries([GOOD] * (BATCH_LEAVES_MAX + 1))


def test_times_lose_fraction_and_zone() -> None:
    local = datetime(2026, 11, 22, 8, 0, 0, 999_999, timezone(timedelta(hours=8)))
    assert whole_second(local) == datetime(2026, 11, 22, tzinfo=UTC)
