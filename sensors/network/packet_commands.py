"""``liuhe sensor packets``: the raw packets of a flow out of the sensor's ring, as a pcap file."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from crypto.words import BadInput, Words


def register_packets(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command of ``liuhe sensor``."""
    packets = commands.add_parser(
        "packets",
        help=str(
            Words("从报文环取出一条流的原始报文(pcap)", "print a flow's raw packets out of the ring as pcap")
        ),
    )
    packets.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help=str(Words("传感器的数据目录", "the sensor's data folder")),
    )
    packets.add_argument(
        "--community-id",
        default="",
        metavar="ID",
        help=str(Words("流的 Community ID,默认全部", "the flow's Community ID; default: all flows")),
    )
    for name, zh, en in (("since", "起始时间", "from this time"), ("until", "截止时间", "up to this time")):
        packets.add_argument(
            f"--{name}",
            default="",
            metavar="TIME",
            help=str(Words(f"{zh}(RFC 3339),默认不限", f"{en} (RFC 3339); default: no bound")),
        )
    packets.set_defaults(run=_packets)


def _packets(options: argparse.Namespace) -> int:
    from sensors.network.packet_ring import as_pcap, find_packets
    from sensors.network.secret import load_key
    from sensors.network.sources import PACKETS_FOLDER
    from sensors.settings import load_settings

    load_settings(options.data)
    since = _seconds(options.since, "since", 0.0)
    until = _seconds(options.until, "until", float("inf"))
    key = load_key(options.data / "keys")
    found = find_packets(options.data / PACKETS_FOLDER, key, options.community_id, since, until)
    written = 0
    for piece in as_pcap(found):
        sys.stdout.buffer.write(piece)
        written += 1
    sys.stdout.buffer.flush()
    if not written:
        print(Words("报文环中没有这样的报文", "the ring holds no such packets"), file=sys.stderr)
        return 1
    return 0


def _seconds(text: str, field: str, default: float) -> float:
    if not text:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            "time-malformed",
            Words(f"不是时间:{text}", f"not a time: {text}"),
            Words("请按 2026-11-22T08:00:00+08:00 书写", "write it like 2026-11-22T08:00:00+08:00"),
            field=field,
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
