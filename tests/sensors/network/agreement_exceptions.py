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
# Captures whose flows (conn.log) are not compared.
OTHER_FLOWS = (
    ("llc.pcap", "FDDI 上孤立的 RST:Zeek 每个报文一行,本传感器按端口合为一条流"),
    ("radiotap.pcap", "802.11 不解析"),
    ("wlanmon.pcap", "802.11 不解析"),
    ("tunnels/gre-aruba-amsdu", "GRE 中的 802.11 不解析"),
    ("chksums/localhost-bad-chksum", "不校验校验和;Zeek 弃去校验和有误的报文"),
    ("cisco-fabric-path", "SCTP:本传感器取端口,Zeek 记 0 并只按地址合并"),
    ("ssh/ssh.client-side-half-duplex", "只见一个方向:Zeek 在无应答后另起一行,本传感器合为一条流"),
    ("dhcp/dhcp.pcap", "双方端口都小于 1024:由谁发起,看法不同"),
    ("tunnels/vxlan-encapsulated-igmp", "内层不是 Zeek 认识的报文时,Zeek 不计外层报文"),
    ("vntag_vlan_sandwich", "TCP 首部被截断:Zeek 记 0 个报文且不看标志,本传感器按 SYN+ACK 判方向"),
)
# Fields that are not compared where the row shows that Zeek means something else by them.
NOT_COMPARED = (
    ("http", "status_code、status_msg", "Zeek 写 0 与 <empty>,表示它没有读状态行(对 HTTP/0.9 请求的应答)"),
    ("dns", "RD、Z", "Zeek 只取自提问;只见应答时恒为 F 与 0"),
    ("dns", "AA、RA", "Zeek 只取自含记录的应答;没有记录时恒为 F"),
)
EXCEPTIONS: tuple[Expected, ...] = (
    Expected("conn", "optional-service-name", "conn_state", "未见 SYN、只见 SYN+ACK:Zeek 仍记 S1"),
    Expected("conn", "pppoe-over-qinq", "", "本传感器在关闭半秒后报告,其后重传的 FIN 不计"),
    Expected("conn", "vntag.pcap", "orig_bytes", "TCP、UDP、ICMP 之外的载荷,Zeek 记 0"),
    Expected("conn", "irc-starttls", "conn_state", "一方 FIN 之后又发 RST,另一方其后才 FIN:本传感器记 RSTO"),
)
