"""What an event says its host, source or user did, in few words that repeat: a program, a service."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from crypto.words import Words
from detection.special.reading import text
from sensors.event import Event

Doer = Literal["host", "source", "user"]
DOERS: Final[tuple[Doer, ...]] = ("host", "source", "user")

DEEDS: Final = {
    "program": Words("运行程序", "ran program"),
    "login": Words("登录", "login of"),
    "login-failed": Words("登录失败", "failed login of"),
    "listener": Words("监听端口", "listened on"),
    "folder": Words("改动目录", "changed files in"),
    "service": Words("连接", "connected to"),
    "domain": Words("查询域名", "looked up"),
    "from": Words("登录来源", "logged in from"),
    "other": Words("其他行为", "other deeds"),
}
_TEXT_MAX: Final = 200
_DOMAIN_LABELS: Final = 2
_PUBLIC_SUFFIXES: Final = frozenset({"com", "net", "org", "gov", "edu", "ac", "co"})  # below a country's own


class Deed(NamedTuple):
    """Who did what: ``value`` is "kind:detail" with a kind of DEEDS."""

    doer: Doer
    entity: str
    value: str


def deeds_of(event: Event) -> Iterator[Deed]:
    """The deeds of one event; none of the product's own events and periodic probes."""
    dataset = text(event, "event.dataset")
    if dataset.startswith("net."):
        source = text(event, "source.ip")
        if source:
            yield from (Deed("source", source, value) for value in _of_source(event, dataset))
        return
    host = text(event, "host.name")
    if not host or dataset.startswith("liuhe.") or dataset == "probe":
        return
    yield from (Deed("host", host, value) for value in _of_host(event, dataset))
    user = text(event, "user.name")
    if user and text(event, "event.category") == "authentication":
        origin = text(event, "source.ip") or text(event, "source.domain") or "-"
        if text(event, "event.outcome") == "success":
            yield Deed("user", f"{user}@{host}", _said("from", origin))


def _of_source(event: Event, dataset: str) -> Iterator[str]:
    if dataset == "net.flow" and text(event, "event.action") not in ("flow-start", "flow-update"):
        target, port = text(event, "destination.ip"), text(event, "destination.port")
        if target:
            yield _said("service", f"{target}:{port}" if port else target)
    is_question = dataset == "net.dns" and text(event, "dns.type") != "answer"
    if is_question and (name := registered(text(event, "dns.question.name"))):
        yield _said("domain", name)


def _of_host(event: Event, dataset: str) -> Iterator[str]:
    match dataset:
        case "process.start":
            if program := text(event, "process.executable") or text(event, "process.name"):
                yield _said("program", program)
        case "listener.change":
            if text(event, "event.action") == "listener-added":
                yield _said("listener", text(event, "server.port"))
        case "file.change":
            if path := text(event, "file.path"):
                yield _said("folder", path.rpartition("/")[0] or "/")
        case _:
            if text(event, "event.category") == "authentication" and (user := text(event, "user.name")):
                failed = text(event, "event.outcome") == "failure"
                yield _said("login-failed" if failed else "login", user)


def registered(name: str) -> str:
    """The part of a name that somebody registered, roughly: two labels, three below gov.cn and the like."""
    labels = [label for label in name.casefold().strip(".").split(".") if label]
    if len(labels) > _DOMAIN_LABELS and len(labels[-1]) == 2 and labels[-2] in _PUBLIC_SUFFIXES:
        return ".".join(labels[-3:])
    return ".".join(labels[-_DOMAIN_LABELS:])


def spoken(value: str) -> Words:
    """A deed in words."""
    kind, _, detail = value.partition(":")
    words = DEEDS.get(kind, DEEDS["other"])
    return Words(f"{words.zh} {detail}".strip(), f"{words.en} {detail}".strip())


def _said(kind: str, detail: str) -> str:
    return f"{kind}:{detail[:_TEXT_MAX]}"
