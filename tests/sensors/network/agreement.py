"""Agreement with Zeek's golden logs, row by row and field by field; prints the table of the docs.

``python tests/sensors/network/agreement.py`` writes docs/reference/network-agreement.md from the captures in
../shared/data/pcap. A row of a log is compared with the record of ours, between the same ends, that fits it
best; a field that Zeek leaves unset is not compared. Each disagreement is covered by an entry of EXCEPTIONS
or named in the table as open.
"""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from agreement_exceptions import EXCEPTIONS, NOT_COMPARED, OTHER_FLOWS, OTHER_VIEW

from sensors.event import Observation
from sensors.network.capture_file import read_packets
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings

DOCS = Path(__file__).resolve().parents[3] / "docs" / "reference" / "network-agreement.md"
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "pcap"
ENDS = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
UNSET = ("-", "(empty)")
Row = dict[str, str]
Record = dict[str, Any]


class Log(NamedTuple):
    """How one of Zeek's logs is compared."""

    name: str
    datasets: frozenset[str]
    fields: tuple[str, ...]
    joins: Callable[[Record, Observation], bool]  # whether an observation belongs to an open record


class Difference(NamedTuple):
    """One field that differs."""

    log: str
    capture: str
    field: str
    ours: str
    theirs: str


class Agreement(NamedTuple):
    """What the comparison of one log gave."""

    captures: int
    rows: int
    compared: Counter[str]
    agreed: Counter[str]
    differences: list[Difference]

    @property
    def share(self) -> float:
        """Agreed fields of compared fields."""
        return sum(self.agreed.values()) / max(1, sum(self.compared.values()))


def _once(record: Record, seen: Observation) -> bool:
    return False


def _answers_http(record: Record, seen: Observation) -> bool:
    if "method" in seen.native:
        return False
    return "status_code" not in record or record["status_code"] // 100 == 1


def _answers_dns(record: Record, seen: Observation) -> bool:
    asked = "rcode_name" not in record and record["trans_id"] == seen.native["trans_id"]
    return asked and "rcode_name" in seen.native and seen.fields["network.protocol"] == "dns"


def _same_handshake(record: Record, seen: Observation) -> bool:
    return seen.fields["event.action"] != "client-hello" or not {"cipher", "ja3"} & set(record)


def _same_quic(record: Record, seen: Observation) -> bool:
    begun = record["client_initial_dcid"] == seen.native["client_initial_dcid"]
    return seen.fields["event.action"] == "server-hello" and begun and "server_scid" not in record


def _always(record: Record, seen: Observation) -> bool:
    return True


def _fields(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LOGS = (
    Log(
        "conn",
        frozenset({"net.flow"}),
        _fields("conn_state orig_pkts resp_pkts orig_bytes resp_bytes orig_ip_bytes resp_ip_bytes"),
        _once,
    ),
    Log(
        "ssl",
        frozenset({"net.tls"}),
        _fields("version cipher curve server_name next_protocol last_alert resumed established"),
        _same_handshake,
    ),
    Log(
        "quic",
        frozenset({"net.quic"}),
        _fields("version client_initial_dcid client_scid server_scid server_name client_protocol"),
        _same_quic,
    ),
    Log(
        "x509",
        frozenset({"net.x509"}),
        _fields(
            "fingerprint certificate.version certificate.serial certificate.subject certificate.issuer "
            "certificate.not_valid_before certificate.not_valid_after certificate.key_alg "
            "certificate.sig_alg certificate.key_type certificate.key_length certificate.exponent "
            "certificate.curve san.dns san.ip basic_constraints.ca host_cert client_cert"
        ),
        _once,
    ),
    Log(
        "ssh",
        frozenset({"net.ssh"}),
        _fields("version client server cipher_alg mac_alg compression_alg kex_alg host_key_alg host_key"),
        _always,
    ),
    Log(
        "http",
        frozenset({"net.http"}),
        _fields("method host uri referrer version user_agent origin status_code status_msg username"),
        _answers_http,
    ),
    Log(
        "dns",
        frozenset({"net.dns"}),
        _fields("trans_id query qtype qtype_name rcode_name AA TC RD RA Z answers TTLs rejected opcode_name"),
        _answers_dns,
    ),
)


def read_all(path: Path) -> list[Observation]:
    """A capture through the sensor; no dialect may have failed."""
    inspection = Inspection(NetworkSettings(), Reporter("sensor-1", path.name), live=False)
    opened = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else Path.open
    with opened(path, "rb") as stream:
        for data, link_type, time in read_packets(stream, path):
            inspection.see(data, link_type, time)
            inspection.advance(time)
    inspection.finish()
    counts = inspection.counts()
    assert not counts.get("dialects_failed"), path
    assert not counts.get("readers_failed"), path
    return inspection.take()


def golden(folder: Path, kind: str) -> Iterator[tuple[str, list[Row]]]:
    """(capture, rows) of the golden logs that follow from the capture alone."""
    for entry in json.loads((folder / "index.json").read_bytes()):
        left_out = (*OTHER_VIEW, *OTHER_FLOWS) if kind == "conn" else OTHER_VIEW
        if any(word in entry["capture"] for word, _ in left_out):
            continue
        for log in entry["golden"]:
            if log["log"] != kind or log.get("own_script") or log.get("settings") or log.get("cut"):
                continue
            rows = list(rows_of(folder / log["file"]))
            if rows:
                yield entry["capture"], rows
                break


def rows_of(file: Path) -> Iterator[Row]:
    """The rows of a tab-separated log."""
    names: list[str] = []
    for line in file.read_text(errors="replace").splitlines():
        if line.startswith("#fields"):
            names = line.split("\t")[1:]
        elif line and not line.startswith("#") and names:
            yield dict(zip(names, line.split("\t"), strict=False))


def records_of(log: Log, seen: list[Observation]) -> dict[tuple[str, ...], list[Record]]:
    """Our observations joined to what is one row in Zeek's log, by their ends."""
    found: dict[tuple[str, ...], list[Record]] = {}
    for one in seen:
        if one.fields["event.dataset"] not in log.datasets:
            continue
        if one.fields.get("event.action") in ("flow-start", "flow-update"):
            continue  # what is told of a flow before its end
        key = () if log.name == "x509" else tuple(str(one.native[name]) for name in ENDS)
        records = found.setdefault(key, [])
        for record in records:
            if log.joins(record, one):
                record |= one.native | _kept(record)
                break
        else:
            records.append(dict(one.native))
    return found


def _kept(record: Record) -> Record:
    """What Zeek takes from the question alone: HTTP/0.9, the reserved bits of DNS."""
    if record.get("version") == "0.9":
        return {"version": "0.9"}
    return {name: record[name] for name in ("Z", "RD") if name in record}


def written(value: Any) -> str:
    """A value as Zeek writes it."""
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, list):
        return ",".join(written(one) for one in value)
    return str(value)


def same(field: str, ours: Any, theirs: str) -> bool:
    """Whether they say the same."""
    if ours is None:
        return theirs == "F" and field in ("resumed", "established", "rejected")
    if field.startswith("certificate.not_valid"):
        return float(theirs) == ours
    if field == "TTLs":
        return [float(one) for one in theirs.split(",")] == [float(one) for one in ours]
    if field == "answers":
        return sorted(_answer(one) for one in theirs.split(",")) == sorted(_bare(one) for one in ours)
    return written(ours) == theirs


def _answer(text: str) -> str:
    """Zeek puts the type, and of texts the length, before what is not an address or a name."""
    kind, _, rest = text.partition(" ")
    if kind in ("TXT", "SPF"):
        return rest[:40].partition(" ")[2]
    return _bare(rest) if kind in ("RRSIG", "DNSKEY") else text


def _bare(text: str) -> str:
    """What both sides write of texts (their beginning), signatures (the signer) and keys (the algorithm)."""
    return text[:36] if "=" in text else text.rpartition(" ")[2]


def compare(log: Log, folder: Path) -> Agreement:
    """One of Zeek's logs against ours, over all captures that have it."""
    result = Agreement(0, 0, Counter(), Counter(), [])
    captures: set[str] = set()
    rows_count = 0
    for capture, rows in golden(folder, log.name):
        records = records_of(log, read_all(folder / capture))
        captures.add(capture)
        for row in rows:
            rows_count += 1
            wanted = {
                name: row[name]
                for name in log.fields
                if row.get(name, "-") not in UNSET
                and not row[name].startswith("XXXX")
                and not _means_else(name, row)
            }
            key = () if log.name == "x509" else tuple(row[name] for name in ENDS)
            choices = records.get(key, [])
            best: Record = max(
                choices,
                key=lambda one: sum(same(name, one.get(name), text) for name, text in wanted.items()),
                default={},
            )
            if best:
                choices.remove(best)
            for name, text in wanted.items():
                result.compared[name] += 1
                if same(name, best.get(name), text):
                    result.agreed[name] += 1
                else:
                    short = capture.removeprefix("captures/")
                    result.differences.append(
                        Difference(log.name, short, name, written(best.get(name)), text)
                    )
    return result._replace(captures=len(captures), rows=rows_count)


def _means_else(name: str, row: Row) -> bool:
    """What NOT_COMPARED of agreement_exceptions says in words."""
    if name in ("status_code", "status_msg"):
        return row["status_code"] == "0"
    if name in ("RD", "Z"):
        return row["qtype"] in UNSET
    return name in ("AA", "RA") and row["answers"] in UNSET


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


def fingerprints(folder: Path) -> tuple[Counter[str], Counter[str], list[str]]:
    """(compared, agreed, differences) of JA3 and JA4 over the captures of ``folder``.

    JA4 counts as agreed where either of its two tools says the same of that connection.
    """
    compared: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    differences: list[str] = []
    for file in sorted((folder / "expected").glob("*.json")):
        known = json.loads(file.read_bytes())
        hellos = [
            one
            for one in read_all(folder / known["capture"])
            if one.fields["event.dataset"] == "net.tls" and "tls.client.ja3" in one.fields
            if one.fields["event.action"] == "client-hello"
        ]
        wanted = {(one["src"], one["srcport"], one["ja3"]) for one in known["ja3_tshark"]}
        have = {(one.native["id.orig_h"], str(one.native["id.orig_p"]), one.native["ja3"]) for one in hellos}
        either: dict[tuple[str, str], set[str]] = {}
        for one in known["ja4_python"]:
            found = either.setdefault((one["src"], str(one["srcport"])), set())
            found |= {text for name, text in one.items() if name.startswith("JA4.")}
        for one in known["ja4_rust"]:
            either.setdefault((one["src"], str(one["src_port"])), set()).add(one["ja4"])
        mine: dict[tuple[str, str], set[str]] = {}
        for one in hellos:
            key = (str(one.native["id.orig_h"]), str(one.native["id.orig_p"]))
            mine.setdefault(key, set()).add(str(one.native["ja4"]))
        for kind, theirs, ours in (
            ("JA3", wanted, have),
            ("JA4", set(either), {key for key, found in mine.items() if found & either.get(key, set())}),
        ):
            compared[kind] += len(theirs)
            agreed[kind] += len(theirs & ours)
            differences += [f"{file.stem} {kind} {one}" for one in sorted(theirs - ours)]
        differences += [f"{file.stem} JA3 {one} (only ours)" for one in sorted(have - wanted)]
    return compared, agreed, differences


def page(folder: Path) -> str:
    """The page of the docs."""
    lines = [*HEAD]
    differences: list[Difference] = []
    total: Counter[str] = Counter()
    for log in LOGS:
        result = compare(log, folder / "zeek")
        agreed, compared = sum(result.agreed.values()), sum(result.compared.values())
        total.update(agreed=agreed, compared=compared)
        lines.append(
            f"| `{log.name}.log` | {result.captures} | {result.rows} | {agreed} / {compared} "
            f"| {agreed / compared:.2%} | {'、'.join(log.fields)} |"
        )
        differences += result.differences
    share = total["agreed"] / total["compared"]
    lines += [f"| 合计 | | | {total['agreed']} / {total['compared']} | {share:.2%} | |", "", "## 差异", ""]
    lines += ["| 日志 | 抓包 | 字段 | 本传感器 | Zeek | 原因 |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {one.log} | `{one.capture}` | {one.field} | {one.ours} | {one.theirs} | {reason_of(one)} |"
        for one in differences
    ] or ["| 无 | | | | | |"]
    lines += ["", "## 不比较的", "", "| 抓包 | 原因 |", "|---|---|"]
    lines += [f"| `{capture}*` | {reason} |" for capture, reason in OTHER_VIEW]
    lines += [f"| `{capture}*`(仅 conn.log) | {reason} |" for capture, reason in OTHER_FLOWS]
    lines += ["", "| 日志 | 字段 | 原因 |", "|---|---|---|"]
    lines += [f"| {log} | {fields} | {reason} |" for log, fields, reason in NOT_COMPARED]
    compared, agreed, _ = fingerprints(folder / "ja4")
    lines += ["", "## TLS 客户端指纹", "", "| 指纹 | 对照 | 一致 |", "|---|---|---|"]
    lines += [
        f"| JA3 | TShark 4.0.17,每个 ClientHello(TCP 与 QUIC) | {agreed['JA3']} / {compared['JA3']} |",
        f"| JA4 | FoxIO 的 Python 与 Rust 工具之一,每条连接 | {agreed['JA4']} / {compared['JA4']} |",
    ]
    return "\n".join([*lines, *TAIL]) + "\n"


HEAD = (
    "# 网络传感器与外部参照的一致性(Agreement)",
    "",
    "本页由 `python tests/sensors/network/agreement.py` 从 Zeek 测试集的抓包与其标准日志(golden log)生成,",
    "`tests/sensors/network/test_agreement.py` 在抓包存在时核对本页未过期。",
    "逐行逐字段比较:同一对端点之间,取与该行最相符的一条记录;Zeek 未填的字段不比较。",
    "只取由抓包本身决定的日志(测试未带自有脚本与设置者)。",
    "",
    "| 日志 | 抓包 | 行 | 一致 / 比较的字段 | 比例 | 字段 |",
    "|---|---|---|---|---|---|",
)
TAIL = (
    "",
    "## 国密",
    "",
    "`tests/sensors/network/captures/tlcp.pcap` 是真实 TLCP 协议栈的握手(来源见同目录 ORIGIN.md),",
    "TShark 认作 `GMTLSv1`;本传感器认出其中全部 TLCP 握手,版本、套件、双证书的主体与 TShark 相同",
    "(`test_tlcp_oracle.py`)。RFC 8998 的握手取自本产品自己的链路(OpenSSL 4,`test_link_capture.py`)。",
    "Zeek 与 JA4 抓包中的普通 Hello 与证书无一被误认为国密(`test_agreement.py`)。",
)


if __name__ == "__main__":
    DOCS.write_text(page(SHARED), encoding="utf-8")
    print(page(SHARED))
