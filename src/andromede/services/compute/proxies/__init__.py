"""What compute once answered for other services, as its microversions until 2.35 still do: images,
networks, security groups, floating IPs. Each request is asked of the service whose matter it is.

Source: the compute API's "REST API Version History", 2.36, 2.39 and 2.44.
"""

from andromede.services.compute.proxies import (
    floatings,
    groups,
    image_metadata,
    images,
    networks,
    rules,
)
from andromede.services.compute.versions import Conversion

NOUNS = (images, image_metadata, networks, groups, rules, floatings)
OPERATIONS = [operation for noun in NOUNS for operation in noun.OPERATIONS]
CONVERSIONS: list[Conversion] = []
