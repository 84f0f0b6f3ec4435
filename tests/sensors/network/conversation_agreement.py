"""Agreement with Zeek's logs of the protocols that are conversations: a value is found with its ends, or not.

``python tests/sensors/network/conversation_agreement.py`` writes ``DOCS``.
The sensor tells each side of a conversation where Zeek writes one row for both; so of each row every field is
looked up among all that the sensor told between the same ends (of LDAP: under the same message id). What
differs is named with its reason in ``EXCEPTIONS``.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from agreement import ENDS, SHARED, UNSET, Row, read_all, rows_of, written

from sensors.event import Observation

ROOT: Final = Path(__file__).resolve().parents[3]
DOCS: Final = ROOT / "docs" / "reference" / "network-agreement-conversations.md"
FIELDS: Final = {
    "dce_rpc": ("endpoint", "operation"),
    "dhcp": (
        "mac", "host_name", "client_fqdn", "domain", "requested_addr", "assigned_addr", "lease_time",
        "server_addr",
    ),
    "ftp": ("user", "command", "arg", "reply_code", "reply_msg"),
    "kerberos": (
        "request_type", "client", "service", "success", "error_msg", "cipher", "forwardable", "renewable",
    ),
    "ldap": ("message_id", "version", "opcode", "result", "diagnostic_message", "object", "argument"),
    "ldap_search": ("message_id", "scope", "deref_aliases", "base_object", "result_count", "result",
        "filter"),
    "modbus": ("unit", "func", "pdu_type", "exception"),
    "mysql": ("cmd", "arg", "success", "response"),
    "ntlm": (
        "username", "hostname", "domainname", "server_nb_computer_name", "server_dns_computer_name",
        "server_tree_name",
    ),
    "rdp": ("cookie", "result", "security_protocol", "client_name", "desktop_width", "desktop_height"),
    "redis": ("cmd.name",),
    "smb_files": ("action", "path", "name"),
    "smtp": ("helo", "mailfrom", "rcptto", "subject", "last_reply"),
    "snmp": ("version", "community"),
}  # fmt: skip
# Rows the sensor does not tell, by design: (log, field, values that are told).
TOLD: Final = {
    "ftp": ("command", frozenset({"PASS", "USER", "PASV", "EPSV", "PORT", "EPRT", "RETR", "STOR", "DELE"})),
    "mysql": ("cmd", frozenset({"login"})),
}


class Expected(NamedTuple):
    """Differences that are understood; '' stands for any."""

    log: str
    capture: str
    field: str
    reason: str


EXCEPTIONS: Final = (
    Expected("ftp", "ftp-with-numbers", "user", "抓包不含登录;Zeek 写 <unknown>,本传感器不写"),
    Expected("ftp", "ipv6-multiline-reply", "", "Zeek 把连接末尾的 221 记给 RETR;服务端对 RETR 的应答是 550"),
    Expected("kerberos", "", "success", "AP 的成败在承载协议里,由 SMB、LDAP 的登录结果告知"),
    Expected("ldap", "ldap_invalid", "diagnostic_message", "消息以零字节结尾;Zeek 写作“?”,本传感器去掉"),
    Expected("ldap", "missing_", "", "每方向只读前 256 KiB,此前的检索结果已占满"),
    Expected("ldap_search", "missing_", "", "每方向只读前 256 KiB,此前的检索结果已占满"),
    Expected("ldap_search", "", "result_count", "抓包中没有应答;Zeek 写 0,本传感器不写"),
    Expected("modbus", "fuzz-72", "", "TCP 序号被改写,空洞不会补齐;Zeek 不重组即读"),
    Expected("ntlm", "dce_rpc_ntlm", "", "抓包不含三次握手:Zeek 按端口对调双方,本传感器以先发者为发起方"),
    Expected("smtp", "mail-transactions-invalid", "last_reply", "对无效命令的 500;只告知邮件与登录的应答"),
)  # fmt: skip


class Difference(NamedTuple):
    """One value that was not found."""

    log: str
    capture: str
    field: str
    theirs: str
    ours: str


class Agreement(NamedTuple):
    """What the comparison of one log gave."""

    captures: int
    rows: int
    compared: int
    agreed: int
    differences: list[Difference]


def golden(folder: Path, kind: str) -> Iterator[tuple[str, list[Row]]]:
    """(capture, rows) of the golden logs that follow from the capture alone, the first of each capture."""
    for entry in json.loads((folder / "index.json").read_bytes()):
        for log in entry["golden"]:
            if log["log"] != kind or log.get("own_script") or log.get("settings") or log.get("cut"):
                continue
            yield entry["capture"], list(rows_of(folder / log["file"]))
            break


def is_between(one: Observation, row: Row, log: str) -> bool:
    """Whether it was told of the row's conversation."""
    if log == "dhcp":
        return one.fields["event.dataset"] == "net.dhcp"
    if any(str(one.native[name]) != row[name] for name in ENDS):
        return False
    return log not in ("ldap", "ldap_search") or str(one.native.get("message_id")) == row["message_id"]


def text_of(log: str, field: str, value: object) -> str:
    """A value as Zeek writes it."""
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, list) and field == "rcptto":
        return ",".join(sorted(str(one) for one in value))
    if log == "ldap_search" and field == "filter":
        return nested(str(value))
    return written(value)


def nested(text: str) -> str:
    """A filter with its AND and OR of many parts as pairs of pairs, as Zeek writes them."""
    return _pairs(text, 0)[0] if text.startswith("(") else text


def _pairs(text: str, at: int) -> tuple[str, int]:
    sign = text[at + 1 : at + 2]
    if sign not in "&|!" or text[at + 2 : at + 3] != "(":
        end = text.find(")", at)
        end = len(text) - 1 if end < 0 else end
        return text[at : end + 1], end + 1
    parts: list[str] = []
    at += 2
    while at < len(text) and text[at] == "(":
        part, at = _pairs(text, at)
        parts.append(part)
    joined = parts[0]
    for part in parts[1:]:
        joined = f"({sign}{joined}{part})"
    return (f"(!{joined})" if sign == "!" else joined), at + 1


def is_found(field: str, theirs: str, have: set[str]) -> bool:
    """Whether one of ours says it."""
    plain = theirs.replace("\\\\", "\\")
    if field == "rcptto":
        return ",".join(sorted(theirs.split(","))) in have
    if field == "arg" and theirs.startswith("ftp://"):
        return any(theirs.endswith(one) for one in have)
    return theirs in have or plain in have


def compare(log: str, folder: Path) -> Agreement:
    """One of Zeek's logs against what the sensor tells, over all captures that have it."""
    captures = rows_count = compared = agreed = 0
    differences: list[Difference] = []
    for capture, rows in golden(folder, log):
        seen = [one for one in read_all(folder / capture) if "id.orig_h" in one.native]
        captures += 1
        for row in rows:
            field, told = TOLD.get(log, ("", frozenset()))
            if field and row[field] not in told:
                continue
            rows_count += 1
            mine = [one for one in seen if is_between(one, row, log)]
            for name in FIELDS[log]:
                if row.get(name, "-") in UNSET:
                    continue
                have = {text_of(log, name, one.native[name]) for one in mine if name in one.native}
                compared += 1
                if is_found(name, row[name], have):
                    agreed += 1
                else:
                    short = capture.removeprefix("captures/")
                    differences.append(Difference(log, short, name, row[name], "、".join(sorted(have)[:4])))
    return Agreement(captures, rows_count, compared, agreed, differences)


def reason_of(difference: Difference) -> str:
    """Why they differ, '' where nobody has said."""
    for entry in EXCEPTIONS:
        if (
            entry.log == difference.log
            and entry.capture in difference.capture
            and entry.field in ("", difference.field)
        ):
            return entry.reason
    return ""


def page(folder: Path) -> str:
    """The page of the docs."""
    results = {log: compare(log, folder) for log in FIELDS}
    lines = [
        "# 会话类协议与 Zeek 的一致性(Agreement of conversations)",
        "",
        "本页由 `python tests/sensors/network/conversation_agreement.py` ",
        "从 Zeek 测试集的抓包与其标准日志生成,",
        "`tests/sensors/network/test_conversation_agreement.py` 在抓包存在时核对本页未过期。",
        "Zeek 一行写双方,本传感器按发言方分别告知;因此逐行逐字段在同一对端点(LDAP 为同一消息号)的",
        "全部告知中查找该值。",
        "“另有原因”是下表已说明的差异,不计入比例。",
        "TLS、HTTP、DNS 等见 [network-agreement.md](network-agreement.md)。",
        "",
        "| 日志 | 抓包 | 行 | 一致 / 比较的字段 | 另有原因 | 比例 | 字段 |",
        "|---|---|---|---|---|---|---|",
    ]
    for log, one in results.items():
        explained = sum(1 for difference in one.differences if reason_of(difference))
        share = one.agreed / max(1, one.compared - explained)
        lines.append(
            f"| `{log}.log` | {one.captures} | {one.rows} | {one.agreed} / {one.compared} "
            f"| {explained} | {share:.2%} | {'、'.join(FIELDS[log])} |"
        )
    lines += ["", "## 差异及原因", "", "| 日志 | 抓包 | 字段 | 处数 | 原因 |", "|---|---|---|---|---|"]
    grouped: Counter[tuple[str, str, str, str]] = Counter()
    for one in results.values():
        for difference in one.differences:
            reason = reason_of(difference) or "**未说明**"
            grouped[(difference.log, difference.capture, difference.field, reason)] += 1
    for (log, capture, field, reason), count in grouped.items():
        lines.append(f"| {log} | `{capture}` | {field} | {count} | {reason} |")
    lines += [
        "",
        "不告知、因而不比较的行:FTP 除登录、数据通道与文件操作外的命令;MySQL 登录之后的查询;",
        "Redis 的参数与应答(高危命令与登录除外)。",
        "SMB 共享、PostgreSQL、Telnet、POP3、IMAP、S7、达梦没有可比的标准日志,",
        "以手工构造的会话测试(`tests/sensors/network/test_*.py`);",
        "达梦的报文格式未公开,依据两种自由驱动程序的一致之处。",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    DOCS.write_text(page(SHARED / "zeek"), encoding="utf-8")
