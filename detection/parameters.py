"""Parameters and wording of the detectors as data: rules/anomaly/*.toml, read strictly."""

import tomllib
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

import rules
from crypto.words import BadInput, Words
from detection.alert import Alert, Claim, Detector, Match, Severity, claim
from detection.reason import check_template, filled
from sensors.event import Event, Value

_FILE_BYTES_MAX: Final = 256 * 1024
_T = TypeVar("_T")


class Saying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What alerts of one built-in detection say; ``{name}`` in a reason is a number of the detector or a
    field of the event that completed the claim."""

    rule: str
    severity: Severity
    title_zh: str
    title_en: str
    reason_zh: str
    reason_en: str
    attack: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_template(self.reason_zh)
        check_template(self.reason_en)

    def alert(
        self,
        detector: Detector,
        *,
        entity: str,
        numbers: dict[str, Value],
        events: tuple[Event, ...],
        matched: tuple[Match, ...],
    ) -> Alert:
        """The alert about ``entity`` that the last of ``events`` completed."""
        said = Claim(
            rule=self.rule,
            detector=detector,
            title=Words(self.title_zh, self.title_en),
            severity=self.severity,
            attack=self.attack,
            clauses=self.clauses,
        )
        reason = filled(Words(self.reason_zh, self.reason_en), events[-1], numbers)
        return claim(said, entity=entity, reason=reason, events=events, matched=matched)


def shipped(name: str) -> Path:
    """The parameter file that comes with the product."""
    return Path(str(rules.__file__)).parent / "anomaly" / name


def site_file(path: Path | None) -> Path | None:
    """The site's own file, where there is one."""
    return path if path is not None and path.exists() else None


def read_parameters(path: Path, kind: type[_T], *, over: Path | None = None) -> _T:
    """The parameters in a TOML file. Raises BadInput naming the file and the key.

    Keys of ``over``, the site's own file of the same shape, stand in for those of ``path``; it may lack any.
    """
    if over is not None:
        kept = read_parameters(path, dict[str, Any])
        own = read_parameters(over, dict[str, Any])
        try:
            return msgspec.convert(_merged(kept, own), kind)
        except BadInput as error:
            raise BadInput(error.code, error.what, error.fix, field=str(over)) from None
        except (msgspec.ValidationError, ValueError) as error:
            raise _bad(over, str(error)) from None
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
        if len(data) > _FILE_BYTES_MAX:
            raise _bad(path, f"> {_FILE_BYTES_MAX} bytes")
        return msgspec.convert(tomllib.loads(data.decode()), kind)
    except OSError as error:
        raise _bad(path, str(error.strerror)) from None
    except BadInput as error:  # a reason sentence
        raise error if error.field else BadInput(error.code, error.what, error.fix, field=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise _bad(path, str(error)) from None


def _merged(kept: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Tables of both, key by key; anything else of ``own`` replaces what was there."""
    merged = dict(kept)
    for key, value in own.items():
        before = merged.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        merged[key] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return merged


def _bad(path: Path, reason: str) -> BadInput:
    return BadInput(
        "parameters-malformed",
        Words(f"检测参数文件不能用:{reason}", f"detector parameters cannot be used: {reason}"),
        Words(
            "请按 docs/reference/detectors.md 改正该键", "correct that key, see docs/reference/detectors.md"
        ),
        field=str(path),
    )
