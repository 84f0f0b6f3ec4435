"""The monthly report as PDF by typst, with fonts of its own; the same report gives the same bytes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import typst

from compliance.evaluation import VERDICTS
from compliance.report.model import CRYPTO_NOTE, DISCLAIMER, SEVERITIES_ZH, VERDICT_RULE, Report
from crypto.words import LiuheError, Words

_FOLDER: Final = Path(__file__).resolve().parent
_ALERTS_MAX: Final = 40  # rows printed; all stand in the XLSX


def render_pdf(report: Report) -> bytes:
    """The PDF. Raises LiuheError where typesetting fails; text is data there, never markup."""
    try:
        return typst.compile(
            _FOLDER / "monthly.typ",
            root=_FOLDER,
            font_paths=[_FOLDER / "fonts"],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"data": msgspec.json.encode(_printed(report)).decode()},
            # The document's own date, so that nothing depends on when it was rendered.
            timestamp=int(
                datetime.strptime(report.created, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()
            ),
        )
    except typst.TypstError as error:
        raise LiuheError(
            "report-typesetting",
            Words(f"月报排版失败:{error}", f"the report could not be typeset: {error}"),
            Words("请把此信息报告给开发者", "report this to the developers"),
        ) from error


def _printed(report: Report) -> dict[str, Any]:
    year, month = report.month.split("-")
    built: dict[str, Any] = msgspec.to_builtins(report)
    layers = [{**row, "rate": value.rate} for row, value in zip(built["layers"], report.layers, strict=True)]
    return built | {
        "title": f"{report.unit_name} {year}年{int(month)}月网络安全等级保护合规月报",
        "month_zh": f"{year} 年 {int(month)} 月",
        "disclaimer": DISCLAIMER.zh,
        "crypto_note": CRYPTO_NOTE.zh,
        "verdict_rule": VERDICT_RULE.zh,
        "verdicts": list(VERDICTS),
        "totals": report.totals,
        "rate": report.rate,
        "layers": layers,
        "alerts": built["alerts"][:_ALERTS_MAX],
        "severities": [
            {"name": name, "count": report.alert_counts.get(key, 0)} for key, name in SEVERITIES_ZH.items()
        ],
    }
