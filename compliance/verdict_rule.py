"""How results are summed up to a verdict: the rule of 2025 as configured, and the formula of 2021.

The letter that fixes the rule leaves boundaries and 部分符合 open, so they are read from
rules/grading/verdict.yaml and printed with every result. Never an assessment result: a self-check.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from compliance.catalogue import malformed, read_yaml
from compliance.evaluation import Verdict
from crypto.words import Words

Conclusion = Literal["符合", "基本符合", "不符合", "未定"]
Grade2021 = Literal["优", "良", "中", "差"]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
TECHNICAL: Final = frozenset({"安全物理环境", "安全通信网络", "安全区域边界", "安全计算环境", "安全管理中心"})
_HALF: Final[dict[Verdict, float]] = {"符合": 1.0, "部分符合": 0.5, "不符合": 0.0}


class RateRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts how much towards 符合率."""

    conforms: Share
    partly: Share
    unknown_counts: bool
    basis: Literal["item", "result"]


class BoundaryRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the verdicts meet."""

    conforms_above: Percent
    conforms_at_boundary: bool
    basically_above: Percent
    basically_at_boundary: bool


class MajorRiskRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The best verdict with a 重大风险隐患."""

    caps_at: Literal["符合", "基本符合", "不符合"]


class Formula2021(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """y, and f of the importance of an item."""

    technical_share: Share
    weights: dict[str, float]
    default_weight: str


class VerdictRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of verdict.yaml."""

    format: Literal[1]
    version: str
    template: str
    rate: RateRule
    boundary: BoundaryRule
    major_risk: MajorRiskRule
    decided_share_min: Percent
    formula_2021: Formula2021


def load_rule(folder: Path) -> VerdictRule:
    """The rule of ``rules/grading``. Raises BadInput (catalogue-malformed)."""
    path = folder / "verdict.yaml"
    try:
        rule = msgspec.convert(read_yaml(path), VerdictRule)
    except msgspec.ValidationError as error:
        raise malformed(f"{path.name}: {error}", path) from error
    if rule.boundary.basically_above > rule.boundary.conforms_above:
        raise malformed("verdict.yaml: basically_above > conforms_above", path)
    if rule.formula_2021.default_weight not in rule.formula_2021.weights:
        raise malformed("verdict.yaml: default_weight is none of the weights", path)
    return rule


def rate(counts: Mapping[Verdict, int], rule: VerdictRule) -> float | None:
    """符合率 in percent; None where nothing counts."""
    below = counts["符合"] + counts["部分符合"] + counts["不符合"]
    if rule.rate.unknown_counts:
        below += counts["未知"]
    if not below:
        return None
    above = counts["符合"] * rule.rate.conforms + counts["部分符合"] * rule.rate.partly
    return 100 * above / below


def conclude(counts: Mapping[Verdict, int], major_risks: int, rule: VerdictRule) -> Conclusion:
    """The verdict of counted items; 未定 where too few are decided."""
    share = rate(counts, rule)
    if share is None or decided_share(counts) < rule.decided_share_min:
        return "未定"
    limits = rule.boundary
    if _above(share, limits.conforms_above, limits.conforms_at_boundary):
        found: Conclusion = "符合"
    elif _above(share, limits.basically_above, limits.basically_at_boundary):
        found = "基本符合"
    else:
        found = "不符合"
    order: tuple[Conclusion, ...] = ("符合", "基本符合", "不符合")
    return max(found, rule.major_risk.caps_at, key=order.index) if major_risks else found


def decided_share(counts: Mapping[Verdict, int]) -> float:
    """Percent of items somebody or something has decided."""
    total = sum(counts.values())
    return 100 * (total - counts["未知"]) / total if total else 0.0


def rule_words(rule: VerdictRule) -> Words:
    """The rule in one sentence, as it is printed beside every verdict."""
    partly = f"部分符合计 {rule.rate.partly:g}"
    unknown = "未知计入分母" if rule.rate.unknown_counts else "未知另列不计"
    limits = rule.boundary
    high = f"{limits.conforms_above:g}%{'(含)' if limits.conforms_at_boundary else '(不含)'}"
    low = f"{limits.basically_above:g}%{'(含)' if limits.basically_at_boundary else '(不含)'}"
    basis = "测评项" if rule.rate.basis == "item" else "测评项×对象"
    zh = (
        f"规则 {rule.version}({rule.template} 版模板):按{basis}计,{partly},不适用剔除,{unknown};"
        f"符合率高于 {high} 且无重大风险隐患为符合,有则至多{rule.major_risk.caps_at},高于 {low} 为基本符合,"
        f"否则不符合;已判定不足 {rule.decided_share_min:g}% 时不下结论"
    )
    inclusive = {True: "or more", False: "exclusive"}
    en = (
        f"rule {rule.version} (template {rule.template}): by {rule.rate.basis}, 部分符合 counts "
        f"{rule.rate.partly:g}, 不适用 out, 未知 {'in the sum' if rule.rate.unknown_counts else 'apart'}; "
        f"符合 above {limits.conforms_above:g}% ({inclusive[limits.conforms_at_boundary]}), no major risk, "
        f"at most {rule.major_risk.caps_at} with one; 基本符合 above {limits.basically_above:g}% "
        f"({inclusive[limits.basically_at_boundary]}), else 不符合; no verdict below "
        f"{rule.decided_share_min:g}% decided"
    )
    return Words(zh, en)


class Judged2021(msgspec.Struct, frozen=True, kw_only=True):
    """One item as the formula of 2021 takes it."""

    verdict: Verdict
    domain: str
    importance: str = ""


def score_2021(
    items: Iterable[Judged2021], *, high_risk: bool, medium_risk: bool, rule: Formula2021
) -> tuple[float, Grade2021]:
    """M and its grade, to read reports of the template of 2021: never used for new ones."""
    judged = [item for item in items if item.verdict in _HALF]
    lost = {True: 0.0, False: 0.0}
    for item in judged:
        weight = rule.weights.get(item.importance, rule.weights[rule.default_weight])
        lost[item.domain in TECHNICAL] += weight * (1 - _HALF[item.verdict]) * 100 / len(judged)
    technical = max(0.0, 100 * rule.technical_share - lost[True])
    managerial = max(0.0, 100 * (1 - rule.technical_share) - lost[False])
    total = technical + managerial
    if high_risk or total < 70:
        return total, "差"
    if total >= 90 and not medium_risk:
        return total, "优"
    return total, "良" if total >= 80 else "中"


def _above(value: float, limit: float, inclusive: bool) -> bool:
    # Rates are quotients: 27/30 must meet the boundary 90 whatever the last bit says.
    near = abs(value - limit) < 1e-9
    return inclusive if near else value > limit
