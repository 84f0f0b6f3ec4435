"""``liuhe sensor spool``: shows and verifies a spool folder, or rewrites it for an older release."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crypto.words import Words

if TYPE_CHECKING:
    from sensors.spool_view import LaneView, SegmentView, SpoolView


def register_spool(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command of ``liuhe sensor``."""
    spool = commands.add_parser(
        "spool",
        help=str(
            Words("查看并校验缓存目录;有损坏时退出码为 1", "show and verify the spool; exit 1 on damage")
        ),
    )
    spool.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help=str(Words("传感器的数据目录", "the sensor's data folder")),
    )
    spool.add_argument(
        "--verify",
        action="store_true",
        help=str(Words("读遍每一帧并核对 SM3 链", "read every frame and check the chain of SM3 digests")),
    )
    spool.add_argument("--json", action="store_true", help=str(Words("输出 JSON", "print JSON")))
    spool.add_argument(
        "--rewrite",
        action="store_true",
        help=str(
            Words(
                "降级之前:停止传感器后把全部段改写为格式 1(解压,明文)",
                "before a downgrade, sensor stopped: rewrite all segments in format 1 (unpacked, in clear)",
            )
        ),
    )
    spool.set_defaults(run=_spool)


def _spool(options: argparse.Namespace) -> int:
    from sensors.segment_seal import load_keys
    from sensors.settings import load_settings
    from sensors.spool_view import view_spool

    load_settings(options.data)
    keys = load_keys(options.data / "keys", sealing=False)
    folder = options.data / "spool"
    if options.rewrite:
        return _rewrite(folder, options.data)
    view = view_spool(folder, keys, verify=options.verify)
    if options.json:
        sys.stdout.write(msgspec.json.encode(view).decode() + "\n")
    else:
        _print(view)
    for problem in view.problems:
        print(problem, file=sys.stderr)
    return 1 if view.problems else 0


def _rewrite(folder: Path, data: Path) -> int:
    from sensors.messages import LANES
    from sensors.segment_rewrite import rewrite_as_first
    from sensors.segment_seal import load_keys
    from sensors.spool_files import SpoolFiles

    files = SpoolFiles(folder)
    try:
        keys = load_keys(data / "keys", sealing=False)
        count = sum(rewrite_as_first(folder / lane, keys) for lane in LANES if (folder / lane).exists())
    finally:
        files.close()
    done = Words(
        f"已改写 {count} 个段;在 sensor.toml 中设 spool.format = 1 后旧版本即可读取",
        f"{count} segments rewritten; with spool.format = 1 in sensor.toml an older release reads them",
    )
    print(done, file=sys.stderr)
    return 0


def _print(view: "SpoolView") -> None:
    print(f"{'lane':8} {'first':>12} {'last':>12} {'acked':>12} {'segments':>8} {'bytes':>14}")
    for lane in view.lanes:
        segments = len(lane.segments)
        print(f"{lane.name:8} {lane.first:12} {lane.last:12} {lane.acked:12} {segments:8} {lane.bytes:14}")
    for lane in view.lanes:
        for segment in lane.segments:
            print(_line(lane, segment))
    if view.gaps:
        print(Words("中心可能尚未收到的缺口记录:", "gap records that the center may not have yet:"))
        for gap in view.gaps:
            print("  " + msgspec.json.encode(gap).decode())


def _line(lane: "LaneView", segment: "SegmentView") -> str:
    words = [f"v{segment.version}", f"{segment.bytes} B"]
    if segment.packed:
        words.append("packed")
    if segment.key:
        words.append(f"sealed {segment.key}")
    if segment.events is not None:
        words.append(f"{segment.events} events")
    if segment.link:
        words.append(f"chain {segment.link}")
    if segment.losses:
        words.append("DAMAGED")
    return f"  {lane.name:8} {segment.first:>12}..{segment.last:<12} {' '.join(words)}"
