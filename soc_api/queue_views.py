"""The views of the queue that come with the product, and the roles that see them."""

from typing import Final, NamedTuple

from crypto.words import Words
from soc_api.queue_bodies import ViewSettings


class ShippedView(NamedTuple):
    """A view and whom it is for."""

    name: Words
    roles: frozenset[str]
    settings: ViewSettings


_WORKING: Final = frozenset({"analyst", "shift_lead"})
_LEADING: Final = frozenset({"shift_lead", "security_admin"})

SHIPPED: Final[tuple[ShippedView, ...]] = (
    ShippedView(Words("待认领", "Not taken yet"), _WORKING, ViewSettings(state="new", sort="risk")),
    ShippedView(Words("我的", "Mine"), _WORKING, ViewSettings(q="owner:me", sort="risk")),
    ShippedView(
        Words("严重与高", "Critical and high"),
        _WORKING | _LEADING,
        ViewSettings(q="severity >= high", sort="risk"),
    ),
    ShippedView(Words("近 24 小时", "Last 24 hours"), _WORKING, ViewSettings(hours=24)),
    ShippedView(Words("已暂缓", "Asleep"), _WORKING, ViewSettings(state="snoozed")),
    ShippedView(
        Words("预算之外的异常", "Anomalies beyond the budget"),
        _WORKING | _LEADING,
        ViewSettings(state="withheld", sort="risk"),
    ),
    ShippedView(Words("按单位", "By unit"), _LEADING, ViewSettings(by=["unit", "rule"])),
    ShippedView(Words("按处理人", "By owner"), _LEADING, ViewSettings(by=["owner"])),
    ShippedView(
        Words("近 7 天误报", "False alarms of 7 days"),
        _LEADING,
        ViewSettings(state="closed", q="classification:false_positive", hours=168, by=["rule"]),
    ),
)
