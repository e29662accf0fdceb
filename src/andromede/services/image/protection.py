"""Custom properties that the cloud's settings protect: who may create, see, change and delete them.

Pure but for the settings. Source: Glance's property protections by roles; `image_properties` in
cloud.toml declares them. What no entry names is everybody's who may change the image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from andromede.http.context import Context
from andromede.http.errors import Forbidden
from andromede.services.image.schema import RESERVED_NAMESPACES

EVERYBODY = "@"


def allowed(context: Context, act: str, name: str) -> bool:
    """Whether the caller may `create`, `read`, `update` or `delete` a property of an image. What the
    cloud itself writes is for everybody to read, and no customer's to write."""
    if name.startswith(RESERVED_NAMESPACES):
        return True
    for each in context.cloud.config.image_properties:
        if fnmatchcase(name, each.name):
            holders: tuple[str, ...] = getattr(each, act)
            return EVERYBODY in holders or not context.caller.roles.isdisjoint(holders)
    return True


def require(context: Context, act: str, names: Iterable[str]) -> None:
    """Errors: Forbidden for a property that the caller may not do this with."""
    for name in names:
        if not allowed(context, act, name):
            raise Forbidden(
                f"Property {name} is protected: the roles of this token do not let it {act} it, by "
                f"the settings of this cloud."
            )


def seen(context: Context, properties: Mapping[str, str]) -> dict[str, str]:
    """Those that the caller may see."""
    if not context.cloud.config.image_properties:
        return dict(properties)
    return {name: text for name, text in properties.items() if allowed(context, "read", name)}
