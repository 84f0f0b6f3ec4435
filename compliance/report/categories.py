"""Alerts sorted into the ten categories of GB/T 20986-2023, by ATT&CK tactic; a view, not a grading."""

from collections.abc import Sequence
from typing import Final

CATEGORIES: Final = (
    "恶意程序",
    "网络攻击",
    "数据安全",
    "信息内容安全",
    "设备设施故障",
    "违规操作",
    "安全隐患",
    "异常行为",
    "不可抗力",
    "其他",
)
# The gravest meaning of a tactic decides; the first of an alert's tags that stands here counts.
_TACTICS: Final = {
    "exfiltration": "数据安全",
    "collection": "数据安全",
    "impact": "恶意程序",
    "execution": "恶意程序",
    "persistence": "恶意程序",
    "command-and-control": "恶意程序",
    "initial-access": "网络攻击",
    "credential-access": "网络攻击",
    "lateral-movement": "网络攻击",
    "reconnaissance": "网络攻击",
    "discovery": "网络攻击",
    "resource-development": "网络攻击",
    "defense-evasion": "违规操作",
    "privilege-escalation": "违规操作",
}
_DETECTORS: Final = {"anomaly": "异常行为", "special": "网络攻击", "health": "设备设施故障"}


def category_of(attack: Sequence[str], detector: str) -> str:
    """The category of an alert by its ATT&CK tags, else by the detector that raised it."""
    tags = {tag.removeprefix("attack.").replace("_", "-") for tag in attack}
    for tactic, category in _TACTICS.items():
        if tactic in tags:
            return category
    return _DETECTORS.get(detector, "其他")
