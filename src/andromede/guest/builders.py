"""The builders of images by the names that people give them."""

from collections.abc import Callable
from functools import partial

from andromede.guest.build import build_tiny
from andromede.guest.debian import build_debian
from andromede.guest.provenance import BuiltImage

BUILDERS: dict[str, Callable[..., BuiltImage]] = {
    "debian": build_debian,
    "tiny": build_tiny,
    "tiny-test": partial(build_tiny, public_password=True),
}
