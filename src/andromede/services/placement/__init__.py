"""Placement: what the hosts offer and what of it is claimed, for operators and their tools.

Everything is read from compute's own rows and is true at each moment. Hosts declare themselves and
servers claim what their flavors say, so nothing is written here.
"""

from __future__ import annotations

from andromede.http.operation import Service
from andromede.services.placement import candidates, consumers, discovery, providers, vocabulary
from andromede.services.placement.versions import MICROVERSIONS, errors_shape
from andromede.work import Lifecycle

SERVICE = Service(
    name="placement",
    type="placement",
    mount="/placement",
    operations=[
        operation
        for noun in (discovery, providers, consumers, candidates, vocabulary)
        for operation in noun.OPERATIONS
    ],
    error_shape=errors_shape,
    microversions=MICROVERSIONS,
)
LIFECYCLES: list[Lifecycle] = []
