"""What every plugin promises, whatever its kind: the launch, Describe, Configure, health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.plugin.v1.plugin_pb2 import DescribeRequest
from hector_conformance.case import Failed, case
from hector_conformance.statuses import answered
from hector_host.errors import quoted

if TYPE_CHECKING:
    from hector_conformance.subject import Subject


@case(None, "contract", requires=("Describe",))
async def describe_names_its_services(subject: Subject) -> None:
    """Describe names the services that the process serves."""
    async with subject.running() as instance:
        described = await answered("Describe", instance.stubs.plugin.Describe(DescribeRequest()))
    served = {kind.service for kind in subject.kinds}
    if described.services and not served <= set(described.services):
        raise Failed(f"it serves {sorted(served)}; Describe names {quoted(str(list(described.services)), 300)}")
