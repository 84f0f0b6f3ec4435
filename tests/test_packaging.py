"""What is shipped and how it is set up: one version, wheels for both architectures, a short Makefile."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURES = ("x86_64", "aarch64")
# The oldest C library among the supported systems: Kylin V10, UOS 20 and openEuler have 2.28.
GLIBC_MAX = (2, 28)
LEGACY_MANYLINUX = {"manylinux2014": (2, 17), "manylinux2010": (2, 12), "manylinux1": (2, 5)}
PYTHONS = ((3, 11), (3, 12))
PHONY_MAX = 8

Package = dict[str, Any]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def locked() -> dict[str, list[Package]]:
    """The lock's packages by name; a name has more than one entry where Pythons need different versions."""
    found: dict[str, list[Package]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]:
        found.setdefault(package["name"], []).append(package)
    return found


def run_time_packages() -> Iterator[Package]:
    """Every package that an installation with all extras brings, each entry once."""
    lock = locked()
    (own,) = lock["liuhe"]
    wanted = [
        *own["dependencies"],
        *(one for extra in own["optional-dependencies"].values() for one in extra),
    ]
    seen: set[str] = set()
    while wanted:
        dependency = wanted.pop()
        if dependency["name"] in seen:
            continue
        seen.add(dependency["name"])
        for package in lock[dependency["name"]]:
            yield package
            wanted += package.get("dependencies", [])
            for extra in dependency.get("extra", []):
                wanted += package.get("optional-dependencies", {}).get(extra, [])


def for_python(package: Package, python: tuple[int, int]) -> bool:
    """Whether this entry of the lock is the one for that Python; no markers mean every Python."""
    markers = package.get("resolution-markers")
    if markers is None:
        return True
    older = any(marker == "python_full_version < '3.12'" for marker in markers)
    return older == (python < (3, 12))


def fits_python(wheel: str, python: tuple[int, int]) -> bool:
    """Whether the wheel's file name promises this Python (PEP 425)."""
    tags, abi = wheel.split("-")[-3:-1]
    exact = f"cp{python[0]}{python[1]}"
    for tag in tags.split("."):
        if tag == exact or tag == "py3":
            return True
        stable = re.fullmatch(r"cp3(\d+)", tag)
        if abi == "abi3" and stable and int(stable[1]) <= python[1]:
            return True
    return False


def glibc_of(wheel: str, architecture: str) -> tuple[int, int] | None:
    """The lowest C library the wheel promises to run with on this architecture, None where it does not."""
    found = []
    for platform in wheel.removesuffix(".whl").rsplit("-", 1)[1].split("."):
        if not platform.endswith(f"_{architecture}"):
            continue
        modern = re.match(r"manylinux_(\d+)_(\d+)_", platform)
        if modern:
            found.append((int(modern[1]), int(modern[2])))
        elif platform.partition("_")[0] in LEGACY_MANYLINUX:
            found.append(LEGACY_MANYLINUX[platform.partition("_")[0]])
    return min(found, default=None)


def installs(package: Package, python: tuple[int, int], architecture: str) -> bool:
    """Whether some wheel of the package installs there without a compiler."""
    for entry in package.get("wheels", []):
        wheel = entry["url"].rsplit("/", 1)[1]
        if not fits_python(wheel, python):
            continue
        glibc = glibc_of(wheel, architecture)
        if wheel.endswith("-any.whl") or (glibc is not None and glibc <= GLIBC_MAX):
            return True
    return False


def targets_of_makefile() -> list[str]:
    (line,) = re.findall(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return str(line).split()


def test_one_version_everywhere() -> None:
    release = pyproject()["project"]["version"]
    (own,) = locked()["liuhe"]
    assert own["version"] == release
    assert version("liuhe") == release
    assert re.search(
        rf'^  "version": "{re.escape(release)}"', (ROOT / "web" / "package.json").read_text(), re.MULTILINE
    )


def test_the_changelog_names_the_version_first() -> None:
    path = ROOT / "CHANGELOG.md"
    if not path.exists():
        pytest.skip("there is no CHANGELOG.md yet")
    first = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", path.read_text("utf-8"), re.MULTILINE)
    assert first is not None
    assert first[1] == pyproject()["project"]["version"]


# The optional ``native`` backend asks for it by a marker where it has wheels, and is not offered elsewhere.
ONLY_X86_64 = {"gmssl-pyx"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("python", PYTHONS)
def test_no_dependency_needs_a_compiler(architecture: str, python: tuple[int, int]) -> None:
    needed = [package for package in run_time_packages() if for_python(package, python)]
    assert len(needed) > len(pyproject()["project"]["dependencies"])
    without = [
        f"{package['name']} {package['version']}"
        for package in needed
        if not installs(package, python, architecture)
        and not (architecture != "x86_64" and package["name"] in ONLY_X86_64)
    ]
    assert without == []


def test_the_lock_answers_pyproject() -> None:
    """A dependency added to one and not to the other would only be seen on the next machine."""
    project = pyproject()["project"]
    (own,) = locked()["liuhe"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^A-Za-z0-9_.-]", one)[0].lower() for one in requirements}

    assert {one["name"] for one in own["dependencies"]} == names(project["dependencies"])
    extras = own["optional-dependencies"]
    assert extras.keys() == project["optional-dependencies"].keys()
    for extra, requirements in project["optional-dependencies"].items():
        assert {one["name"] for one in extras[extra]} == names(requirements)


def test_every_package_comes_from_the_public_index_with_a_hash() -> None:
    for packages in locked().values():
        for package in packages:
            if package["name"] == "liuhe":
                continue
            assert package["source"] == {"registry": "https://pypi.org/simple"}, package["name"]
            for entry in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]:
                assert entry["hash"].startswith("sha256:"), package["name"]


def test_the_licence_is_named_once_and_the_gpl_part_is_optional() -> None:
    project = pyproject()["project"]
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:400]
    # PEP 639: a licence expression excludes the classifiers of old.
    assert not [one for one in project["classifiers"] if one.startswith("License ::")]
    plain = [*project["dependencies"]]
    for extra, requirements in project["optional-dependencies"].items():
        plain += requirements if extra != "dissect" else []
    assert not [one for one in plain if one.startswith("scapy")]


def test_classifiers_name_every_python_that_is_supported() -> None:
    project = pyproject()["project"]
    assert project["requires-python"] == ">=3.11"
    for major, minor in PYTHONS:
        assert f"Programming Language :: Python :: {major}.{minor}" in project["classifiers"]


def test_the_wheel_holds_every_package_with_code_or_content() -> None:
    configured = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(configured) == packages


def test_the_makefile_is_short() -> None:
    targets = targets_of_makefile()
    assert {"run", "test"} <= set(targets)
    assert len(targets) <= PHONY_MAX


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "CONTRIBUTING.md", "docs/tutorial.md"])
def test_commands_of_the_documents_exist(name: str) -> None:
    from soc_api.cli import COMMANDS

    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"(?:^|`|sudo )make ([a-z]+)", text, re.MULTILINE))
    assert named <= set(targets_of_makefile())
    words = set(re.findall(r"(?:^|`)liuhe ([a-z]+)", text, re.MULTILINE))
    assert words <= set(COMMANDS)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_both_readmes_start_with_the_two_commands(name: str) -> None:
    named = re.findall(r"^make ([a-z]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    assert named[:2] == ["run", "test"]
