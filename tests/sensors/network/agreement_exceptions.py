"""Where the sensor and Zeek's golden logs differ, and why; read by agreement.py, shown in the docs."""

from typing import NamedTuple


class Expected(NamedTuple):
    """Differences of one log that are understood; ``field`` is '' for any."""

    log: str
    capture: str  # a part of its path
    field: str
    reason: str


# Captures that are not compared: (a part of the path, reason).
OTHER_VIEW = (
    ("tunnels/ayiya", "AYIYA 隧道不拆"),
    ("tunnels/gre-over-udp", "UDP 承载的 GRE 不拆"),
    ("nflog-http", "NFLOG 链路类型不解析(计入 unknown_link)"),
    ("rdp/rdp-x509", "RDP 自有安全层中的证书,不是 TLS"),
)
# Fields that are not compared where the row shows that Zeek means something else by them.
NOT_COMPARED = (
    ("http", "status_code、status_msg", "Zeek 写 0 与 <empty>,表示它没有读状态行(对 HTTP/0.9 请求的应答)"),
    ("dns", "RD、Z", "Zeek 只取自提问;只见应答时恒为 F 与 0"),
    ("dns", "AA、RA", "Zeek 只取自含记录的应答;没有记录时恒为 F"),
)
EXCEPTIONS: tuple[Expected, ...] = ()
