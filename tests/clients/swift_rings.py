"""Runs inside foreign services' own environment: makes Swift's rings in FOLDER.

Arguments: FOLDER, and a JSON object of the port of each server. There is one device for everything, and
one copy of each thing.
"""

from __future__ import annotations

import json
import os
import sys

from swift.common.ring import RingBuilder  # type: ignore[import-not-found]


def main(folder: str, ports: dict[str, int]) -> None:
    for name in ("account", "container", "object"):
        builder = RingBuilder(2, 1, 0)
        builder.add_dev({
            "region": 1, "zone": 1, "ip": "127.0.0.1", "port": ports[name], "device": "disk",
            "weight": 1.0,
        })  # fmt: skip
        builder.rebalance()
        builder.get_ring().save(os.path.join(folder, f"{name}.ring.gz"))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
