"""A host sensor whose probes and inventory read a folder as if it were the host's root.

``python rooted_sensor.py ROOT DATA`` runs the sensor enrolled in DATA: everything of it is the real thing,
the files it finds are the test's own.
"""

import sys
from functools import partial
from pathlib import Path

from sensors.host import sources
from sensors.host.inventory.source import InventorySource
from sensors.host.probes import ProbeSource
from soc_api.cli import main

if __name__ == "__main__":
    root = Path(sys.argv[1])
    setattr(sources, "ProbeSource", partial(ProbeSource, root=root))  # noqa: B010
    setattr(sources, "InventorySource", partial(InventorySource, root=root))  # noqa: B010
    raise SystemExit(main(["sensor", "run", "--data", sys.argv[2]]))
