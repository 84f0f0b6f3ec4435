"""The documentation says what the code does: commands, keys, error codes, facts, rules, links, examples.

Held elsewhere: routes (tests/soc_api/test_app.py), permissions (test_permissions.py), detector parameters
(tests/detection/test_parameters.py), tables of the stores (tests/contract/test_store_reference.py).
"""

import argparse
import ast
import functools
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml

from compliance.checklist import load_checklist
from compliance.documents import load_kinds
from compliance.facts import CenterState, gather
from compliance.known_facts import certificate_facts, order_fact, registry_fact
from compliance.registry import GradedSystem
from detection.store.host_inventory import HostInventory
from detection.store.inventory import SensorState
from rules import ROOT as RULES
from sensors.host.probes import PROBES
from sensors.settings import Settings as SensorSettings
from soc_api.cli import parser
from soc_api.enforcement_facts import account_fact, transfer_facts
from soc_api.settings import Settings as CenterSettings
from soc_api.transfer_status import Status

ROOT: Final = Path(__file__).resolve().parents[1]
REFERENCE: Final = ROOT / "docs" / "reference"
PACKAGES: Final = ("crypto", "sensors", "detection", "compliance", "soc_api")
CODE: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
CJK: Final = re.compile(r"[\u4e00-\u9fff]")
NOWHERE: Final = {"node_modules", "var", "dist"}
# Every row of these speaks Chinese; other pages do in their titles and notes at least.
BILINGUAL: Final = ("command-line.md", "configuration.md", "errors.md", "api.md", "permissions.md")
SHELLS: Final = ("liuhe ", ".venv/bin/liuhe ", "$ liuhe ")
SYNOPSIS: Final = re.compile(r"[\[\]…]")  # placeholders, as against an example somebody may copy


def read(name: str | Path) -> str:
    return (ROOT / name).read_text("utf-8")


def pages() -> list[Path]:
    """Every Markdown file of ours."""
    return [
        path
        for path in sorted(ROOT.rglob("*.md"))
        if not any(part in NOWHERE or part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]


def table_rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of each table, heads left out."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not line.startswith("|-") and not following.startswith("|-"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def section(text: str, title: str) -> str:
    """What stands under the heading that begins with ``title``, up to the next of its level."""
    level = title.split(" ")[0]
    found = re.search(rf"^{re.escape(title)}.*?\n(.*?)(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


# --- the command line


def commands(
    top: argparse.ArgumentParser, name: str = "liuhe"
) -> Iterator[tuple[str, list[argparse.Action]]]:
    """Each command that does something, with what it takes."""
    own = [action for action in top._actions if not isinstance(action, argparse._HelpAction)]
    below = [action for action in own if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield name, own
    for action in below:
        for word, sub in action.choices.items():
            yield from commands(sub, f"{name} {word}")


def first_word(action: argparse.Action) -> str:
    """How the page names an option or argument: ``--data`` or ``FILE``."""
    return action.option_strings[0] if action.option_strings else str(action.metavar or action.dest)


def default_of(action: argparse.Action) -> str:
    if action.required:
        return "必填 required"
    return f"`{action.default}`" if action.default not in (None, False, "", []) else "–"


def test_every_command_and_option_is_documented_and_no_other() -> None:
    text = read("docs/reference/command-line.md")
    real = dict(commands(parser()))
    assert "`liuhe --version`" in text
    assert re.findall(r"^## (liuhe.*)$", text, re.MULTILINE) == sorted(real)
    for name, actions in real.items():
        rows = {quoted(row[0])[0].split(" ")[0]: row for row in table_rows(section(text, f"## {name}\n"))}
        assert set(rows) == {first_word(action) for action in actions}, name
        for action in actions:
            cells = rows[first_word(action)]
            assert cells[1] == default_of(action), f"{name} {first_word(action)}"
            missing = [choice for choice in action.choices or () if f"`{choice}`" not in cells[2]]
            assert missing == [], f"{name} {first_word(action)}"


def test_every_command_has_an_example_and_its_exit_codes() -> None:
    text = read("docs/reference/command-line.md")
    for name, _ in commands(parser()):
        body = section(text, f"## {name}\n")
        assert re.search(rf"^{name}( |$)", body, re.MULTILINE), f"{name}: no example"
        assert re.search(r"^退出码 exit: .*`[0123]`", body, re.MULTILINE), f"{name}: no exit codes"


def test_every_example_on_every_page_can_be_run() -> None:
    top, tried = parser(), 0
    for page in pages():
        for block in re.findall(r"^```(?:sh)?\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                if not line.startswith(SHELLS) or SYNOPSIS.search(line):
                    continue
                words = shlex.split(line.split(" | ")[0], comments=True)
                words = words[words.index("liuhe") + 1 if "liuhe" in words else 1 :]
                try:
                    top.parse_args([word for word in words if word != "&"])
                except SystemExit:
                    pytest.fail(f"{page.relative_to(ROOT)}: {line}")
                tried += 1
    assert tried > 20


def test_every_make_target_on_every_page_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    for page in pages():
        text = page.read_text("utf-8")
        named = re.findall(r"`make ([a-z]+)`", text) + re.findall(
            r"^(?:sudo )?make ([a-z]+)", text, re.MULTILINE
        )
        assert set(named) <= targets, page.relative_to(ROOT)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_both_front_pages_show_how_to_run_and_test(name: str) -> None:
    for command in ("make run", "make test"):
        assert re.search(rf"^{command}\b", read(name), re.MULTILINE), command


# --- configuration


def keys(kind: type[msgspec.Struct], before: str = "") -> Iterator[tuple[str, object]]:
    """Each key below a settings struct as dotted name with its default."""
    for field in msgspec.structs.fields(kind):
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        inner = field.type if isinstance(field.type, type) else None
        if inner is not None and issubclass(inner, msgspec.Struct):
            # A section may be the same struct with other defaults (console and ingest).
            own = default if isinstance(default, inner) else inner()
            for key, _ in keys(inner, f"{before}{field.name}."):
                value: object = own
                for part in key.removeprefix(f"{before}{field.name}.").split("."):
                    value = getattr(value, part)
                yield key, value
        else:
            yield f"{before}{field.name}", default


def written(value: object) -> str:
    """A default as the page writes it."""
    if value is msgspec.NODEFAULT:
        return "–"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{json.dumps(value, ensure_ascii=False)}`"


@pytest.mark.parametrize(
    ("title", "settings"), [("## center.toml", CenterSettings), ("## sensor.toml", SensorSettings)]
)
def test_every_configuration_key_is_documented_with_its_default(
    title: str, settings: type[msgspec.Struct]
) -> None:
    documented: dict[str, str] = {}
    for row in table_rows(section(read("docs/reference/configuration.md"), title)):
        documented |= dict.fromkeys(quoted(row[0]), row[1])
    real = {key: written(value) for key, value in keys(settings)}
    # The long list depends on the machine; the page says where it stands.
    real["host.watch_paths"] = documented.get("host.watch_paths", "") if "host.processes" in real else ""
    assert documented == {key: value for key, value in real.items() if value}


# --- errors


@functools.cache
def error_codes() -> dict[str, set[str]]:
    """Code -> exit codes it is answered with; ``problem`` where HTTP answers without raising it."""
    paths = [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
    trees = [ast.parse(path.read_bytes()) for path in paths]
    exits = {"LiuheError": "3", "Refused": "1", "BadInput": "2"}
    for tree in trees:
        for node in tree.body:
            for base in node.bases if isinstance(node, ast.ClassDef) else ():
                if isinstance(base, ast.Name) and base.id in exits:
                    exits.setdefault(getattr(node, "name", ""), exits[base.id])
    found: dict[str, set[str]] = {}
    for tree in trees:
        for code, answer in codes_in(tree, exits):
            found.setdefault(code, set()).add(answer)
    return found


def codes_in(tree: ast.Module, exits: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Codes a module gives: to an error's class, to a function of its own that takes one, in a table."""
    places = {name: (0, answer) for name, answer in exits.items()} | {"problem": (1, "problem")}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and (place := _code_argument(node)) is not None:
            for name in {_called(call) for call in ast.walk(node)} & set(exits):
                places[node.name] = (place, exits[name])
    for node in ast.walk(tree):
        code, answer = None, "problem"
        if isinstance(node, ast.Call) and _called(node) in places:
            place, answer = places[_called(node)]
            code = _text(node.args[place]) if len(node.args) > place else None
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and _called(node.elts[1]) == "Words":
            code = _text(node.elts[0])
        if code:
            yield code, answer


def _code_argument(function: ast.FunctionDef) -> int | None:
    names = [argument.arg for argument in function.args.args]
    return names.index("code") if "code" in names and names[0] != "self" else None


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _text(node: ast.expr) -> str | None:
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return text if CODE.fullmatch(text) else None


@functools.cache
def statuses() -> dict[str, str]:
    """Code -> HTTP status where it is not the usual one, read from soc_api/errors.py without importing it."""
    text = read("soc_api/errors.py")
    table = dict(re.findall(r'^    "([a-z-]+)": (\d+),$', text, re.MULTILINE))
    for status, code in re.findall(r'^    (\d+): \("([a-z-]+)"', text, re.MULTILINE):
        table.setdefault(code, status)
    return table | {code: status for status, code in re.findall(r'problem\(\s*(\d+),\s*"([a-z-]+)"', text)}


def answer_of(code: str, answers: set[str]) -> str:
    """The last cell of a code's row: its exit codes, or the HTTP status that is its own."""
    status = statuses().get(code, "4xx")
    exits = ", ".join(sorted(answers - {"problem"}))
    return f"HTTP {status}" if code in statuses() or not exits else exits


def test_every_error_code_is_documented_with_its_answer_and_no_other() -> None:
    rows = [row for row in table_rows(read("docs/reference/errors.md")) if len(row) == 5]
    documented = {quoted(row[0])[0]: row[4] for row in rows}
    assert len(rows) == len(documented), "a code stands twice"
    assert documented == {code: answer_of(code, answers) for code, answers in error_codes().items()}
    assert all(all(row) for row in rows), "an empty cell"


def test_every_error_other_pages_speak_of_exists() -> None:
    real = set(error_codes())
    text = section(read("docs/reference/api.md"), "## 错误") + section(
        read("docs/reference/evidence.md"), "## 错误代码"
    )
    named = {
        code for row in table_rows(text) for cell in row[:2] for code in quoted(cell) if CODE.fullmatch(code)
    }
    assert named - real - {"code"} == set()


# --- content: facts, rules, drill


def known_facts() -> dict[str, set[str]]:
    """Name of a fact -> names of its fields; probes' values by docs/reference/probes.md."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    center = CenterState(
        time=now,
        ledger_size=0,
        ledger_ok=True,
        retention_days=190,
        oldest_event=None,
        rules_loaded=0,
        open_alerts={},
        registered=(),
    )
    plain: dict[str, Any] = dict.fromkeys(("sensor", "unit", "host", "version"), "x")
    plain |= dict.fromkeys(
        ("last_epoch", "last_sequence", "backlog", "events", "cpu_percent", "rss_bytes"), 0
    )
    sensors = [
        SensorState(kind=kind, state="online", last_seen=now, sources=(), **plain)
        for kind in ("host", "network")
    ]
    facts = {name: set(those[0].fields) for name, those in gather((), sensors, center).items()}
    page = read("docs/reference/probes.md")
    for probe in PROBES:
        rows = table_rows(section(page, f"## {probe.id}\n"))
        facts[probe.id] = {f"gov.probe.value.{name}" for row in rows for name in quoted(row[0])}
    return facts | told_by_others(now)


def told_by_others(now: datetime) -> dict[str, set[str]]:
    """Facts of the registry, of orders, certificates, transfers and accounts, and of imported documents."""
    days: dict[str, Any] = dict.fromkeys(
        ("filing_expires", "assessed", "assessment_due", "crypto_due"), now.date()
    )
    system = GradedSystem(id="a", unit="320000", name="a", level=3, grade="S3A3G3", **days)
    host: dict[str, Any] = dict.fromkeys(("unit", "sensor", "digest", "event", "method", "error"), "")
    told = HostInventory(
        host="h",
        kind="certificates",
        time=now,
        since=now,
        columns=(),
        rows=(),
        complete=True,
        truncated=False,
        **host,
    )
    found = [
        registry_fact(system, now),
        order_fact([], now),
        *certificate_facts([told], now),
        *transfer_facts(Status(channels=(), transfers=()), now),
        account_fact([], now),
    ]
    facts = {fact.name: set(fact.fields) for fact in found}
    for kind in load_kinds(RULES / "mappings" / "documents.yaml").values():
        names = {"rows", *kind.columns}
        for name, column in kind.columns.items():
            if column.kind in ("date", "time"):
                names |= {f"{name}_days_left", f"{name}_days_ago"}
        names |= {f"{word}.{count}" for count in kind.counts for word in ("count", "named")}
        facts[f"import.{kind.kind}"] = {f"document.{name}" for name in names}
    return facts


def fields_of(detection: object) -> Iterator[str]:
    """Field names in Sigma selections: keys below a selection, modifiers cut off."""
    if isinstance(detection, list):
        for one in detection:
            yield from fields_of(one)
    elif isinstance(detection, dict):
        for name in detection:
            yield str(name).split("|")[0]


def test_every_live_test_asks_a_fact_that_is_there() -> None:
    facts, asked = known_facts(), 0
    for check in load_checklist(RULES / "checklist"):
        for test in check.tests:
            assert test.fact in facts, f"{check.id}: no fact {test.fact}"
            selections = yaml.safe_load(test.text)
            named = {field for selection in selections.values() for field in fields_of(selection)}
            assert named <= facts[test.fact], f"{check.id}, {test.fact}"
            asked += 1
    assert asked > 10


def test_every_rule_that_content_names_is_shipped() -> None:
    shipped = {
        found
        for path in (RULES / "sigma").rglob("*.yml")
        for found in re.findall(r"^id: (\S+)$", path.read_text("utf-8"), re.MULTILINE)
    }
    for path in (RULES / "anomaly").glob("*.toml"):
        shipped |= set(re.findall(r'^rule = "([^"]+)"$', path.read_text("utf-8"), re.MULTILINE))
    drill = tomllib.loads(read("rules/playbooks/drill.toml"))
    drill |= drill.pop("slow") | drill.pop("learned")
    assert {rule for those in drill.values() for rule in those} <= shipped
    checklists = "".join(path.read_text("utf-8") for path in (RULES / "checklist").glob("*.yaml"))
    assert set(re.findall(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", checklists)) <= shipped


# --- pages as such


def test_every_link_leads_somewhere() -> None:
    wrong = []
    for page in pages():
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            path = target.split("#")[0]
            if path and "://" not in path and not (page.parent / path).exists():
                wrong.append(f"{page.relative_to(ROOT)}: {target}")
    assert wrong == []


def test_every_page_that_code_or_text_names_exists() -> None:
    sources = [path for name in (*PACKAGES, "rules") for path in (ROOT / name).rglob("*.py")] + pages()
    named = {name for path in sources for name in re.findall(r"docs/[\w/-]+\.md", path.read_text("utf-8"))}
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_page_is_in_its_index() -> None:
    for folder in (ROOT / "docs", REFERENCE):
        index = (folder / "README.md").read_text("utf-8")
        here = {path.relative_to(folder).as_posix() for path in folder.glob("*.md")} - {"README.md"}
        here |= {path.relative_to(folder).as_posix() for path in folder.glob("formats/*.md")}
        assert sorted(name for name in here if f"]({name})" not in index) == []


@pytest.mark.parametrize("name", BILINGUAL)
def test_every_row_of_an_operators_page_speaks_chinese(name: str) -> None:
    rows = list(table_rows((REFERENCE / name).read_text("utf-8")))
    assert [row[0] for row in rows if not CJK.search("".join(row)) and "–" not in row[1:2]] == []


def test_every_page_speaks_some_chinese() -> None:
    for_developers = {"CONTRIBUTING.md", "probes.md"}
    silent = {page.name for page in pages() if not CJK.search(page.read_text("utf-8"))}
    assert silent <= for_developers
