"""``liuhe rules check|test`` and ``liuhe detect``: data on stdout, words on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crypto.words import BadInput, LiuheError, Words
from detection.detector import FeedFailed
from detection.import_commands import add_import

if TYPE_CHECKING:
    from detection.alert import Alert
    from detection.detector import Detector
    from detection.sigma.rule import Rule
    from sensors.event import Event

BATCH_EVENTS: Final = 2_048
BAD_LINES_SHOWN: Final = 20
PROGRESS_EVENTS: Final = 20_000
OFFLINE_LATENESS_SECONDS: Final = 30 * 86_400
_SAMPLES: Final = Path("rules/samples")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this package."""
    rules = subparsers.add_parser("rules", help=str(Words("检查和测试规则", "check and test rules")))
    actions = rules.add_subparsers(dest="action", required=True)
    check = actions.add_parser("check", help=str(Words("检查规则文件", "check rule files")))
    check.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    check.add_argument("--json", action="store_true", help=str(Words("逐行输出 JSON", "JSON lines")))
    lists = str(Words("规则 expand 所需名单的目录", "folders of lists that rules with expand ask for"))
    check.add_argument("--lists", nargs="*", type=Path, default=[], metavar="DIR", help=lists)
    pipeline = str(Words("先用 pySigma 处理管道改写规则", "change rules by pySigma's pipelines first"))
    check.add_argument("--pipeline", nargs="*", default=[], metavar="NAME|FILE", help=pipeline)
    check.set_defaults(run=_check)
    test = actions.add_parser("test", help=str(Words("用样例测试规则", "test rules on their samples")))
    test.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    test.add_argument("--samples", type=Path, default=_SAMPLES, help=str(Words("样例目录", "samples folder")))
    test.add_argument("--json", action="store_true", help=str(Words("逐行输出 JSON", "JSON lines")))
    test.set_defaults(run=_test)
    add_import(actions)
    detect = subparsers.add_parser("detect", help=str(Words("对文件离线检测", "detect in files")))
    detect.add_argument("--rules", nargs="+", type=Path, required=True, metavar="DIR")
    detect.add_argument("--input", nargs="+", type=Path, required=True, metavar="FILE")
    detect.add_argument("--format", choices=("auto", "jsonl", "pcap", "evtx", "log"), default="auto")
    special = Words("加上扫描、暴力猜测等专用检测器", "add the special detectors (scan, password guessing)")
    detect.add_argument("--special", action="store_true", help=str(special))
    detect.add_argument("--lists", nargs="*", type=Path, default=[], metavar="DIR", help=lists)
    detect.add_argument("--pipeline", nargs="*", default=[], metavar="NAME|FILE", help=pipeline)
    detect.set_defaults(run=_detect)


def main(arguments: Sequence[str] | None = None) -> int:
    """The same commands without the rest of the product: ``python -m detection.commands``."""
    parser = argparse.ArgumentParser(prog="liuhe")
    register(parser.add_subparsers(dest="command", required=True))
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except LiuheError as error:
        _say(error)
        return error.exit_code


def _check(chosen: argparse.Namespace) -> int:
    from detection.sigma.lists import read_lists
    from detection.sigma.load import SHIPPED, load_all
    from detection.sigma.processing import read_pipelines

    lists, wrong = read_lists([SHIPPED, *chosen.lists])
    loaded = load_all(chosen.paths, lists, processing=read_pipelines(chosen.pipeline))
    rules, correlations, errors = loaded.rules, loaded.correlations, (*wrong, *loaded.errors)
    if chosen.json:
        for rule in (*rules, *correlations):
            _data({"id": rule.id, "path": rule.path, "level": rule.level, "title": rule.title._asdict()})
    for error in errors:
        _say(error)
    waiting = [rule for rule in rules if rule.needs]
    for rule in waiting:
        _say(_wants(rule))
    more_zh = f",{len(correlations)} 条关联可用" if correlations else ""
    more_en = f", {len(correlations)} correlations usable" if correlations else ""
    if waiting:
        more_zh += f",{len(waiting)} 条等待名单"
        more_en += f", {len(waiting)} wait for a list"
    _say(
        Words(
            f"{len(rules) - len(waiting)} 条规则可用{more_zh},{len(errors)} 处错误",
            f"{len(rules) - len(waiting)} rules usable{more_en}, {len(errors)} errors",
        )
    )
    return 1 if errors else 0


def _wants(rule: Rule) -> Words:
    names = ", ".join(f"{name.lower()}.txt" for name in rule.needs)
    return Words(
        f"{rule.path}:{rule.line}:等待名单 {names},在 --lists 的目录里写好即可生效",
        f"{rule.path}:{rule.line}: waits for {names}; write it in a folder given by --lists",
    )


def _test(chosen: argparse.Namespace) -> int:
    from detection.correlation.proof import prove_correlations
    from detection.sigma.load import load_all
    from detection.sigma.samples import prove

    loaded = load_all(chosen.paths)
    errors = list(loaded.errors)
    helping = {one.path for one in loaded.correlations}  # rules beside a correlation are proven with it
    proofs = prove([rule for rule in loaded.rules if rule.path not in helping], chosen.samples)
    proofs += prove_correlations(loaded, chosen.samples)
    for proof in proofs:
        if chosen.json:
            wrong = [error.what.en for error in proof.wrong]
            _data({"id": proof.rule.id, "hits": proof.hits, "misses": proof.misses, "wrong": wrong})
        errors.extend(proof.wrong)
    for error in errors:
        _say(error)
    good = sum(not proof.wrong for proof in proofs)
    _say(
        Words(
            f"{len(proofs)} 条规则中 {good} 条通过样例,{len(errors)} 处错误",
            f"{good} of {len(proofs)} rules pass their samples, {len(errors)} errors",
        )
    )
    return 1 if errors else 0


def _detect(chosen: argparse.Namespace) -> int:
    import msgspec

    from detection.correlation.detector import RuleDetector
    from detection.correlation.parameters import correlation_parameters
    from detection.offline import events_in
    from detection.sigma.lists import read_lists
    from detection.sigma.load import SHIPPED, load_all
    from detection.sigma.processing import read_pipelines
    from detection.sigma.windows_lines import WindowsLines
    from detection.special.detectors import special_detectors

    lists, wrong = read_lists([SHIPPED, *chosen.lists])
    loaded = load_all(chosen.rules, lists, processing=read_pipelines(chosen.pipeline))
    for error in (*wrong, *loaded.errors):
        _say(error)
    # files of several hosts come one behind the other, not in order of time
    parameters = msgspec.structs.replace(correlation_parameters(), lateness_seconds=OFFLINE_LATENESS_SECONDS)
    rules = RuleDetector(loaded.rules, loaded.correlations, parameters=parameters, unknown_to_all=True)
    detectors: list[Detector] = [rules]
    if chosen.special:
        detectors += special_detectors()
    # where rules look at single events only, lines that satisfy none need not become events
    alone = not chosen.special and not loaded.correlations
    sorter = WindowsLines(loaded.rules) if alone else None
    sort = sorter.worth if sorter else None
    tally = _Tally({one.id: one.tactics for one in (*loaded.rules, *loaded.correlations)})
    encode = msgspec.json.Encoder().encode
    for path in chosen.input:
        for batch in batches(events_in(path, chosen.format, tally.bad_line, sort), BATCH_EVENTS):
            for detector in detectors:
                for alert in tally.fed(detector, batch):
                    sys.stdout.write(encode(alert).decode() + "\n")
            tally.progress(path, len(batch))
    for alert in tally.counted(rules.finish()):
        sys.stdout.write(encode(alert).decode() + "\n")
    sys.stdout.flush()
    tally.events += sorter.left_out if sorter else 0
    tally.summary(len(loaded.rules) + len(loaded.correlations))
    return 0


class _Tally:
    """Counts of one offline run, told on stderr."""

    def __init__(self, tactics: Mapping[str, tuple[str, ...]]) -> None:
        """``tactics`` by the id of a rule."""
        self.tactics: Counter[str] = Counter()
        self._tactics: Final = tactics
        self.events = self.bad = self.failed = 0
        self.titles: Counter[Words] = Counter()
        self.told: set[str] = set()

    def bad_line(self, error: BadInput) -> None:
        """Tell the first bad lines, count all."""
        self.bad += 1
        if self.bad <= BAD_LINES_SHOWN:
            _say(error)

    def fed(self, detector: Detector, events: Sequence[Event]) -> list[Alert]:
        """The alerts of one detector; an event it cannot take is told and passed over."""
        alerts: list[Alert] = []
        while events:
            try:
                alerts += detector.feed(events)
                break
            except FeedFailed as failure:
                alerts += failure.alerts
                self.failed += 1
                _say(f"{detector.name}: {failure}")
                events = events[failure.index + 1 :]
        return self.counted(alerts)

    def counted(self, alerts: list[Alert]) -> list[Alert]:
        """Count the alerts; one told again under its id, because an event came late, is one."""
        fresh = [alert for alert in alerts if alert.id not in self.told]
        self.told.update(alert.id for alert in fresh)
        self.titles.update(alert.title for alert in fresh)
        for alert in fresh:
            self.tactics.update(self._tactics.get(alert.rule) or ("",))
        return alerts

    def progress(self, path: Path, events: int) -> None:
        """One line for every PROGRESS_EVENTS events."""
        before, self.events = self.events, self.events + events
        if before // PROGRESS_EVENTS != self.events // PROGRESS_EVENTS:
            _say(Words(f"{path.name}:已读 {self.events} 个事件", f"{path.name}: {self.events} events read"))

    def summary(self, rules: int) -> None:
        """What was found, the most frequent first, and how far an intrusion seems to have come."""
        from detection.sigma.tactics import OTHER, TACTICS

        for title, count in self.titles.most_common():
            _say(f"{count:8d}  {title}")
        if self.tactics:
            _say(
                Words(
                    "按 ATT&CK 战术(一条告警可属多个战术):", "By ATT&CK tactic (an alert may be of several):"
                )
            )
        for tactic, words in {**TACTICS, "": OTHER}.items():
            if count := self.tactics[tactic]:
                _say(f"{count:8d}  {words}")
        found = self.titles.total()
        _say(
            Words(
                f"{rules} 条规则,{self.events} 个事件,{found} 条告警,{self.bad} 行读不懂",
                f"{rules} rules, {self.events} events, {found} alerts, {self.bad} bad lines",
            )
        )


def batches(events: Iterator[Event], size: int) -> Iterator[list[Event]]:
    """The events in lists of ``size``."""
    while batch := list(islice(events, size)):
        yield batch


def _data(row: object) -> None:
    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def _say(words: object) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main())
