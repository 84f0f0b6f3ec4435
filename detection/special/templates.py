"""Templates of log lines by Drain3's tree, and their state as plain lists: nothing is pickled.

A line's words with digits are variables from the start, so that numbers, addresses and ids make no templates.
"""

from typing import Final, Protocol, cast

from drain3.drain import Drain, LogCluster  # type: ignore[import-untyped]

_TOKENS_MAX: Final = 48
_CHARS_MAX: Final = 600
_VARIABLE: Final = "<*>"
_DIGITS: Final = frozenset("0123456789")
_MASKED_MAX: Final = 2_000  # masked lines whose template is remembered


class _Cluster(Protocol):
    """What is used of Drain3's cluster."""

    cluster_id: int
    size: int
    log_template_tokens: tuple[str, ...]


class Templates:
    """The templates of one program, at most ``templates_max``, the one used longest ago forgotten first."""

    __slots__ = ("_drain", "_masked")

    def __init__(self, templates_max: int, kept: list[tuple[int, list[str]]] | None = None) -> None:
        """``kept`` is what ``state`` gave."""
        self._masked: dict[str, str] = {}
        self._drain = Drain(depth=4, sim_th=0.5, max_children=64, max_clusters=templates_max)
        for number, (size, tokens) in enumerate(kept or [], start=1):
            cluster = LogCluster(tokens, number)
            cluster.size = max(1, size)
            self._drain.id_to_cluster[number] = cluster
            self._drain.clusters_counter = number
            self._drain.add_seq_to_prefix_tree(self._drain.root_node, cluster)

    def __len__(self) -> int:
        return len(self._drain.clusters)

    def add(self, line: str) -> tuple[bool, str]:
        """Whether the line made a template, and the template."""
        plain = masked(line)
        known = self._masked.get(plain)
        if known is not None:
            return False, known
        before = self._drain.clusters_counter
        template = " ".join(self._added(plain).log_template_tokens)
        if len(self._masked) >= _MASKED_MAX:
            self._masked.clear()
        self._masked[plain] = template
        return self._drain.clusters_counter > before, template

    def state(self) -> list[tuple[int, list[str]]]:
        """Size and words of each template."""
        clusters = cast("list[_Cluster]", list(self._drain.clusters))
        return [(one.size, list(one.log_template_tokens)) for one in clusters]

    def _added(self, line: str) -> _Cluster:
        return cast("_Cluster", self._drain.add_log_message(line)[0])


def masked(line: str) -> str:
    """The line's first words; those with a digit, and paths, are replaced, neighbours by one."""
    words: list[str] = []
    for word in line[:_CHARS_MAX].split():
        if word.isalpha() or (_DIGITS.isdisjoint(word) and not word.startswith(("/", _VARIABLE))):
            words.append(word)
        elif not words or words[-1] is not _VARIABLE:  # a list of variables is one variable
            words.append(_VARIABLE)
        if len(words) == _TOKENS_MAX:
            break
    return " ".join(words)
