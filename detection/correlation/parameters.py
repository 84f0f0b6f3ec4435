"""Parameters of the correlations: rules/anomaly/correlation.toml."""

from pathlib import Path

import msgspec

from detection.parameters import Saying, read_parameters, shipped


class CorrelationParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/correlation.toml."""

    lateness_seconds: int
    future_seconds: int
    keys_max: int
    bytes_max: int
    evidence_bytes_max: int
    told_seconds: int
    full: Saying


def correlation_parameters(path: Path | None = None) -> CorrelationParameters:
    """The parameters of the center, or those that came with the product."""
    return read_parameters(path or shipped("correlation.toml"), CorrelationParameters)
