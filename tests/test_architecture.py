"""The house keeps its shape: arrows, sizes, names, adapters and owners are checked, not hoped for."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("crypto", "sensors", "detection", "compliance", "soc_api", "rules")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED_WORDS = ("Manager", "Helper", "Handler", "Util", "Base", "Impl", "Processor")
BANNED_MODULES = {"core", "common", "utils", "util", "helpers", "misc"}

# A third-party client appears only in the adapter files named here (glob below the project root).
ADAPTERS = {
    "asn1crypto": (
        "crypto/asn1.py",
        "crypto/chain.py",
        "crypto/cms*.py",
        "crypto/crl*.py",
        "crypto/pkcs8.py",
        "crypto/x509*.py",
    ),
    "OpenSSL": ("crypto/sm_tls.py",),
    "ahocorasick_rs": ("detection/literals.py",),
    "alembic": ("soc_api/migrate.py", "soc_api/migrations/**"),
    "drain3": (),  # has no wheel and brings jsonpickle
    "duckdb": ("detection/store/*",),
    "elasticsearch": (),
    "evtx": ("sensors/host/read_evtx.py",),
    "gmalg": (),  # a test's oracle
    "gmssl": ("crypto/backends/reference.py",),
    "gmssl_pyx": ("crypto/backends/native.py",),
    "docx": ("compliance/report/*",),
    "openpyxl": ("compliance/report/*", "compliance/*_xlsx.py"),
    "pcapy": ("sensors/network/capture_pcap.py",),
    "psutil": ("sensors/**",),
    "pyarrow": ("detection/store/*",),
    "pyod": ("detection/anomaly/model.py",),
    "re2": ("detection/pattern.py",),
    "segno": ("compliance/report/*", "soc_api/factor_qr.py"),
    "scapy": ("sensors/network/dissect_t*.py", "sensors/network/dissect_worker.py"),
    "sigma": ("detection/sigma/*",),
    "sklearn": ("detection/anomaly/model.py",),
    "sqlalchemy": (
        "detection/store/*",
        "compliance/*_store.py",
        "compliance/tables.py",
        "compliance/*_tables.py",
        "soc_api/*_store.py",
        "soc_api/tables.py",
        "soc_api/*_tables.py",
        "soc_api/migrate.py",
        "soc_api/migrations/**",
    ),
    "typst": ("compliance/report/*",),
    "fastapi": ("soc_api/**",),
    "pydantic": ("soc_api/**",),
}
# Each of the waist's types has one owner that constructs it.
OWNERS = {"Event": "sensors/event.py", "Alert": "detection/alert.py"}
# Cores read no clock and draw no lot: time comes in the event or as an argument.
CLOCKLESS = ("detection", "compliance")
CLOCK_READERS = re.compile(r"(_commands|/commands|jobs|/store/|follow)")


def modules() -> list[Path]:
    """Every module of ours."""
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_arrows_run_one_way() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    if not command.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_top_level_is_the_house_and_nothing_else() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    folders = {line.split("/")[0] for line in tracked.stdout.splitlines() if "/" in line}
    assert folders <= {*PACKAGES, "web", "docs", "tests", "bench", ".ci"}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_module_is_small_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= FILE_LINES_MAX, f"{name_of(path)}: split it by noun"
    tree = tree_of(path)
    assert ast.get_docstring(tree), f"{name_of(path)}: no module docstring"
    assert path.stem not in BANNED_MODULES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{name_of(path)}:{node.lineno} {node.name} has {lines} lines"
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(BANNED_WORDS), f"{name_of(path)}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_clients_stay_in_their_adapters(path: Path) -> None:
    for imported in imports_of(tree_of(path)):
        allowed = ADAPTERS.get(imported.split(".")[0])
        if allowed is not None:
            relative = Path(name_of(path))
            fits = any(_matches(relative, pattern) for pattern in allowed)
            assert fits, f"{relative} imports {imported}; only {allowed} may"


def _matches(path: Path, pattern: str) -> bool:
    if pattern.endswith("/**"):
        return path.as_posix().startswith(pattern[:-2])
    return path.match(pattern)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_each_type_is_built_by_its_owner(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OWNERS:
            assert name_of(path) == OWNERS[node.func.id], (
                f"{name_of(path)}:{node.lineno} builds {node.func.id}"
            )


def cores() -> list[Path]:
    """Modules of detection and compliance that are no edge."""
    inside = (path for path in modules() if name_of(path).startswith(CLOCKLESS))
    return [path for path in inside if not CLOCK_READERS.search(name_of(path))]


@pytest.mark.parametrize("path", cores(), ids=name_of)
def test_cores_read_no_clock_and_draw_no_lot(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"time.time", "datetime.now", "datetime.utcnow", "time.monotonic"}, (
                f"{name_of(path)}:{node.lineno} reads the clock"
            )
            assert not called.startswith(("secrets.", "random.", "uuid.uuid4")), (
                f"{name_of(path)}:{node.lineno} draws a lot"
            )


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_nothing_unsafe_by_name(path: Path) -> None:
    for imported in imports_of(tree_of(path)):
        assert imported.split(".")[0] not in {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.keyword) and node.arg == "shell":
            assert not ast.literal_eval(node.value), f"{name_of(path)}:{node.value.lineno} uses a shell"


def test_every_module_with_logic_has_its_test() -> None:
    missing = []
    for path in modules():
        relative = path.relative_to(ROOT)
        if path.name == "__init__.py" or "migrations" in relative.parts or relative.parts[0] == "rules":
            continue
        tree = tree_of(path)
        if not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree)):
            continue
        imported = f"{'.'.join(relative.with_suffix('').parts)}"
        own = ROOT / "tests" / relative.parent / f"test_{path.stem}.py"
        if not own.exists() and not _is_tested(imported):
            missing.append(name_of(path))
    assert not missing, f"no test imports or runs: {missing}"


_TESTED: set[str] = set()


def _is_tested(module: str) -> bool:
    if not _TESTED:
        for test in (ROOT / "tests").rglob("*.py"):
            text = test.read_text(encoding="utf-8")
            _TESTED.update(re.findall(r"\b(?:crypto|sensors|detection|compliance|soc_api)(?:\.\w+)+", text))
            for package, names in re.findall(r"from ([\w.]+) import ([\w, ]+)", text):
                _TESTED.update(f"{package}.{name.strip()}" for name in names.split(","))
    return module in _TESTED
