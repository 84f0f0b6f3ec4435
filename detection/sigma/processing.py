"""pySigma's processing pipelines: what an estate changes in rules of others before they are translated.

A pipeline is a YAML file of pySigma's form, or the name of one that an installed package brings. Files are
read as hostile input: nothing outside of them is opened, asked or run, and what shapes the text of queries
is refused, for there is none here.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sigma.exceptions import SigmaError
from sigma.plugins import InstalledSigmaPlugins
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from crypto.words import Words
from detection.sigma.document import parse_documents
from detection.sigma.errors import RuleError, malformed
from detection.sigma.translate import from_sigma

FILE_BYTES_MAX: Final = 1024 * 1024
_OF_QUERIES: Final = ("postprocessing", "finalizers")
_BROKEN: Final = (TypeError, ValueError, AttributeError, KeyError, IndexError)


class Processing:
    """Pipelines in the order of their priority."""

    def __init__(self, pipelines: Sequence[ProcessingPipeline]) -> None:
        self._pipelines = sorted(pipelines, key=lambda one: one.priority)

    def apply(self, rule: SigmaRule) -> None:
        """Change the rule in place. Raises RuleError where a pipeline refuses it."""
        for pipeline in self._pipelines:
            try:
                pipeline.apply(rule)
            except SigmaError as error:
                raise from_sigma(error).under("detection") from None
            except _BROKEN as error:
                raise malformed(f"处理管道:{error}", f"processing pipeline: {error}").under(
                    "detection"
                ) from None


def read_pipelines(names: Sequence[str]) -> Processing | None:
    """The pipelines of these names or files; None for none. Raises RuleError."""
    return Processing([_read(name) for name in names]) if names else None


def _read(name: str) -> ProcessingPipeline:
    path = Path(name)
    if path.is_file():
        return _of_file(path)
    installed = InstalledSigmaPlugins.autodiscover().get_pipeline_resolver()
    if name in installed.pipelines:
        return installed.resolve_pipeline(name)
    known = ", ".join(sorted(installed.pipelines)) or "–"
    raise RuleError(
        "pipeline-unknown",
        Words(f"没有名为 {name} 的文件或已安装的处理管道", f"no file and no installed pipeline {name!r}"),
        Words(f"已安装:{known}", f"installed: {known}"),
        path=name,
    )


def _of_file(path: Path) -> ProcessingPipeline:
    try:
        with path.open("rb") as file:
            documents = parse_documents(file.read(FILE_BYTES_MAX + 1), path)
        value = documents[0].value if len(documents) == 1 else None
        if not isinstance(value, dict):
            raise _malformed(path, "one mapping is wanted")
        refused = [key for key in _OF_QUERIES if value.get(key)]
        if refused:
            raise _malformed(
                path, f"{refused[0]} shapes queries, and there are none", documents[0].line(refused[0])
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return ProcessingPipeline.from_dict(value)
    except OSError as error:
        raise _malformed(path, str(error.strerror)) from None
    except RuleError as error:
        raise (
            error if error.code == "pipeline-malformed" else _malformed(path, error.what.en, error.line)
        ) from None
    except (SigmaError, *_BROKEN) as error:
        raise _malformed(path, str(error.args[0] if error.args else error)) from None


def _malformed(path: Path, reason: str, line: int = 1) -> RuleError:
    return RuleError(
        "pipeline-malformed",
        Words(f"处理管道不能使用:{reason}", f"the processing pipeline cannot be used: {reason}"),
        Words("请按 pySigma 的处理管道格式改正", "correct it to pySigma's form of processing pipelines"),
        path=path,
        line=line,
    )
