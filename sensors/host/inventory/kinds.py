"""All kinds of inventory, in one place; documented kind by kind in docs/reference/inventory.md."""

from typing import Final

from sensors.host.inventory import access, certificates, kernel, packages, people, routes, services, system
from sensors.host.inventory.kind import Kind

KINDS: Final[tuple[Kind, ...]] = (
    *system.KINDS,
    *routes.KINDS,
    *packages.KINDS,
    *people.KINDS,
    *access.KINDS,
    *services.KINDS,
    *kernel.KINDS,
    *certificates.KINDS,
)
