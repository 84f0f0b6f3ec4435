"""Kinds of arguments the commands of a center share."""

from pathlib import Path

from crypto.words import BadInput, Words


def folder(text: str) -> Path:
    """An argparse type: a folder's path. Raises BadInput for an empty one, which would mean "here"."""
    if not text.strip():
        raise BadInput(
            "path-empty",
            Words("路径为空", "the path is empty"),
            Words("请给出目录", "give a directory"),
            field="--data",
        )
    return Path(text)
