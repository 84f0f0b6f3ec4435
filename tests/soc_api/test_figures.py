"""What receivers still owe is told within one's units, with the deadline that comes first."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from compliance.notice import Receipt
from soc_api.figures import events_last_hour, notice_deadline, open_receipts


class Running:
    """A book of notices that are out."""

    def __init__(self, *receipts: Receipt) -> None:
        self._receipts = receipts

    def running(self) -> list[Any]:
        notice = type("Out", (), {"id": 1, "number": "〔2026〕1号", "receipts": self._receipts})
        return [notice]


def test_only_what_is_owed_within_the_units_counts(world: Any) -> None:
    late = Receipt(unit="320100", sign_due=world.now - timedelta(hours=1), due=world.now)
    done = Receipt(unit="320100", state="cleared")
    far = msgspec.structs.replace(late, unit="320500")
    casework = type("Cases", (), {"notice_rows": Running(late, done, far), "revision": lambda: 0})
    with_cases = replace(world.center, casework=casework)
    assert [receipt.unit for _, receipt in open_receipts(with_cases, None)] == ["320100", "320500"]
    assert [receipt for _, receipt in open_receipts(with_cases, frozenset({"320100"}))] == [late]
    assert list(open_receipts(replace(world.center, casework=None), None)) == []


def test_the_first_deadline_still_owed_is_told(world: Any) -> None:
    sign, due = world.now, world.now + timedelta(days=3)
    owed = Receipt(unit="u", sign_due=sign, due=due)
    assert notice_deadline(owed) == sign
    assert notice_deadline(msgspec.structs.replace(owed, signed=sign)) == due
    assert notice_deadline(msgspec.structs.replace(owed, signed=sign, answered=sign)) is None


def test_events_are_counted_for_all_and_for_some_units(world: Any) -> None:
    assert events_last_hour(world.center, world.now, None) == 0
    assert events_last_hour(world.center, world.now, frozenset({"320100"})) == 0
