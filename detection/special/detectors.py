"""All special detectors, with the parameters that came with the product or those of the center."""

from pathlib import Path

import msgspec

from detection.calendar import site_calendar
from detection.detector import Detector
from detection.parameters import read_parameters, shipped
from detection.special.beacon import BeaconDetector, BeaconParameters
from detection.special.brute_force import BruteForceDetector, BruteForceParameters
from detection.special.control_plane import ControlPlaneDetector, ControlPlaneParameters
from detection.special.dns_tunnel import DnsTunnelDetector, DnsTunnelParameters
from detection.special.durable import Durable, Learning
from detection.special.generated_names import GeneratedNamesDetector, GeneratedNamesParameters
from detection.special.lateral import LateralDetector, LateralParameters
from detection.special.log_lines import LogLinesDetector, LogLinesParameters
from detection.special.log_sequences import LogSequencesDetector, LogSequencesParameters
from detection.special.name_model import open_names
from detection.special.networks import Networks
from detection.special.odd_login import OddLoginDetector, OddLoginParameters
from detection.special.outside_link import OutsideLinkDetector, OutsideLinkParameters
from detection.special.privilege import PrivilegeDetector, PrivilegeParameters
from detection.special.rare_process import RareProcessDetector, RareProcessParameters
from detection.special.scan import ScanDetector, ScanParameters
from detection.special.shared_password import SharedPasswordDetector, SharedPasswordParameters
from detection.special.sm_downgrade import SmDowngradeDetector, SmDowngradeParameters
from detection.special.sweep import SweepDetector, SweepParameters
from detection.special.transfer_channel import TransferChannelDetector, TransferChannelParameters
from detection.special.upload import UploadDetector, UploadParameters


class SpecialParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/special.toml."""

    snapshot_seconds: int
    networks: Networks
    scan: ScanParameters
    brute_force: BruteForceParameters
    beacon: BeaconParameters
    dns_tunnel: DnsTunnelParameters
    generated_names: GeneratedNamesParameters
    upload: UploadParameters
    lateral: LateralParameters
    rare_process: RareProcessParameters
    odd_login: OddLoginParameters
    privilege: PrivilegeParameters
    log_lines: LogLinesParameters
    log_sequences: LogSequencesParameters
    slow_scan: ScanParameters
    slow_guessing: BruteForceParameters
    sweep: SweepParameters
    control_plane: ControlPlaneParameters
    shared_password: SharedPasswordParameters
    sm_downgrade: SmDowngradeParameters
    outside_link: OutsideLinkParameters
    transfer_channel: TransferChannelParameters


def special_parameters(site: Path | None = None, path: Path | None = None) -> SpecialParameters:
    """What came with the product under what the site says otherwise. Raises BadInput."""
    over = site if site is not None and site.exists() else None
    return read_parameters(path or shipped("special.toml"), SpecialParameters, over=over)


def special_detectors(path: Path | None = None, *, site: Path | None = None) -> list[Detector]:
    """One of each. Raises BadInput where a parameter file is wrong.

    ``site`` is the estate's own file, which says only what differs: its networks, places, canaries.
    """
    parameters = special_parameters(site, path)
    kept = (Durable(one, seconds=parameters.snapshot_seconds) for one in _learning(parameters))
    slow: list[Detector] = [
        ScanDetector(parameters.slow_scan, name="slow_scan"),
        BruteForceDetector(parameters.slow_guessing, name="slow_guessing"),
    ]
    return [ScanDetector(parameters.scan), BruteForceDetector(parameters.brute_force), *slow, *kept]


def _learning(parameters: SpecialParameters) -> list[Learning]:
    """Those whose memory outlives the process."""
    inside = parameters.networks.test()
    names = open_names()
    return [
        BeaconDetector(parameters.beacon, inside),
        DnsTunnelDetector(parameters.dns_tunnel, names),
        GeneratedNamesDetector(parameters.generated_names, names),
        UploadDetector(parameters.upload, inside),
        LateralDetector(parameters.lateral, inside),
        RareProcessDetector(parameters.rare_process),
        OddLoginDetector(parameters.odd_login, site_calendar(), inside),
        PrivilegeDetector(parameters.privilege),
        LogLinesDetector(parameters.log_lines),
        LogSequencesDetector(parameters.log_sequences),
        SweepDetector(parameters.sweep),
        ControlPlaneDetector(parameters.control_plane),
        SharedPasswordDetector(parameters.shared_password),
        SmDowngradeDetector(parameters.sm_downgrade),
        OutsideLinkDetector(parameters.outside_link, inside),
        TransferChannelDetector(parameters.transfer_channel, site_calendar()),
    ]
