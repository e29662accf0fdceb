"""A noun's attributes as a table: what may be sent, what is read from it, who may set and see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from andromede.http.access import Caller
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.services.network.common import checks
from andromede.services.network.common.checks import Reader
from andromede.services.network.common.errors import forbidden


class Unset:
    """The value of an attribute that the client did not send and that has no default."""

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset()
REQUIRED: Final = Unset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute. `column` is where it is stored when its name is not the column's; None in
    `reader` means that clients never send it. `admin` says that only operators set it,
    `admin_sees` that only they are shown it."""

    name: str
    reader: Reader | None = None
    post: bool = True
    put: bool = True
    default: Any = UNSET
    admin: bool = False
    admin_sees: bool = False
    column: str = ""
    stored: bool = True

    @property
    def key(self) -> str:
        return self.column or self.name


@dataclass(frozen=True)
class Schema:
    """A noun: its names and its attributes."""

    name: str
    plural: str
    attributes: Sequence[Attribute]
    table: Mapping[str, Attribute] = field(init=False)

    def __post_init__(self) -> None:
        table = {each.name: each for each in self.attributes}
        object.__setattr__(self, "table", table)

    def stored(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values by attribute name to values by column."""
        table = self.table
        return {
            table[name].key: value
            for name, value in values.items()
            if name in table and table[name].stored and value is not UNSET
        }


STANDARD = (
    Attribute(name="id"),
    Attribute(name="name", reader=checks.name, default=""),
    Attribute(name="description", reader=checks.description, default=""),
    Attribute(name="revision_number"),
    Attribute(name="created_at", stored=False),
    Attribute(name="updated_at", stored=False),
    Attribute(name="tags", stored=False),
    Attribute(name="project_id", reader=checks.text(64), put=False),
    Attribute(name="tenant_id", reader=checks.text(64), put=False, column="project_id"),
)


def envelope(schema: Schema, body: Any) -> Any:
    """The document inside `{"network": {…}}`.

    Errors: BadRequest when it is not there.
    """
    if not isinstance(body, dict) or not isinstance(body.get(schema.name), dict):
        raise BadRequest(
            f"Unable to find '{schema.name}' in request body: an object of that name is accepted"
        )
    return body[schema.name]


def documents(schema: Schema, body: Any) -> tuple[list[Any], bool]:
    """The documents of a creation, and whether it was a bulk one.

    Errors: BadRequest when there is none.
    """
    if isinstance(body, dict) and schema.plural in body:
        many = body[schema.plural]
        if not isinstance(many, list) or not many:
            raise BadRequest(f"Resources required: '{schema.plural}' is a list of objects")
        wrapped = [each.get(schema.name, each) if isinstance(each, dict) else each for each in many]
        if not all(isinstance(each, dict) for each in wrapped):
            raise BadRequest(f"Invalid '{schema.plural}': a list of objects is accepted")
        return wrapped, True
    return [envelope(schema, body)], False


def read_create(schema: Schema, sent: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The values of a new resource, by attribute name; `project_id` is always set.

    Errors: BadRequest naming the attribute; Forbidden when it is not the caller's to set.
    """
    values = read_values(schema, sent, context)
    values["project_id"] = _project(schema, values, context)
    values.pop("tenant_id", None)
    return values


def read_values(schema: Schema, sent: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """As `read_create`, of what belongs to no project.

    Errors: those of `read_create`.
    """
    _known(schema, sent)
    values: dict[str, Any] = {}
    for attribute in schema.attributes:
        if attribute.name in sent:
            if attribute.reader is None or not attribute.post:
                raise BadRequest(f"Attribute '{attribute.name}' not allowed in POST")
            values[attribute.name] = _read(attribute, sent[attribute.name])
            _may_set(schema, attribute, values[attribute.name], context.caller, "create")
        elif attribute.default is REQUIRED:
            raise BadRequest(
                f"Failed to parse request. Required attribute '{attribute.name}' not specified"
            )
        elif attribute.reader is not None and attribute.post:
            default = attribute.default
            values[attribute.name] = list(default) if isinstance(default, list) else default
    return values


def read_update(schema: Schema, sent: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The values to change, by attribute name.

    Errors: BadRequest naming the attribute; Forbidden when it is not the caller's to set.
    """
    _known(schema, sent)
    values: dict[str, Any] = {}
    for name, value in sent.items():
        attribute = schema.table[name]
        if attribute.reader is None or not attribute.put:
            raise BadRequest(f"Cannot update read-only attribute {name}")
        values[name] = _read(attribute, value)
        if attribute.admin and not context.caller.admin:
            raise _refused(schema, name, "update")
    return values


def visible(schema: Schema, document: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """The document without what only operators see."""
    if caller.admin:
        return document
    for attribute in schema.attributes:
        if attribute.admin_sees:
            document.pop(attribute.name, None)
    return document


def _known(schema: Schema, sent: Mapping[str, Any]) -> None:
    unknown = [name for name in sent if name not in schema.table]
    if unknown:
        raise BadRequest(f"Unrecognized attribute(s) '{', '.join(unknown)}'")


def _read(attribute: Attribute, value: Any) -> Any:
    assert attribute.reader is not None
    try:
        return attribute.reader(value)
    except ValueError as error:
        raise BadRequest(f"Invalid input for {attribute.name}. Reason: {error}.") from None


def _may_set(schema: Schema, attribute: Attribute, value: Any, caller: Caller, act: str) -> None:
    if attribute.admin and not caller.admin and value != attribute.default:
        raise _refused(schema, attribute.name, act)


def _refused(schema: Schema, name: str, act: str) -> Exception:
    return forbidden(
        f"rule:{act}_{schema.name}:{name} is disallowed by policy: only an operator sets it"
    )


def _project(schema: Schema, values: Mapping[str, Any], context: Context) -> str:
    """Whose the new resource is: the caller's project, or the one an operator names."""
    given = _same(values.get("project_id"), values.get("tenant_id"))
    own = context.project_id
    if not given or given == own:
        if not own:
            raise BadRequest(
                f"The token has no project: give the {schema.name}'s project_id, or authenticate "
                f"with a project."
            )
        return own
    if not context.caller.admin:
        raise forbidden(
            f"rule:create_{schema.name} is disallowed by policy: project {given} is not the "
            f"token's project"
        )
    return given


def _same(project: Any, tenant: Any) -> str:
    given = [each for each in (project, tenant) if isinstance(each, str)]
    if len(set(given)) > 1:
        raise BadRequest("'project_id' and 'tenant_id' do not match")
    return given[0] if given else ""
