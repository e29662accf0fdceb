"""The routing table: from method and path to an operation, by a walk over path segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from andromede.http.errors import MethodNotAllowed, NotFound
from andromede.http.microversion import Version
from andromede.http.operation import Operation, Service

Group = list[Operation]  # rows that share method and path, told apart by body key or version


class Node:
    """One segment of the tree of paths."""

    __slots__ = ("fixed", "methods", "parameter")

    def __init__(self) -> None:
        self.fixed: dict[str, Node] = {}
        self.parameter: Node | None = None
        self.methods: dict[str, tuple[Group, tuple[str, ...]]] = {}


class Table:
    """All operations of one service below its mount."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._root = Node()
        for operation in service.operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node = self._root
        names: list[str] = []
        for segment in _segments(operation.path):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or Node()
                node = node.parameter
            else:
                node = node.fixed.setdefault(segment, Node())
        group, _ = node.methods.setdefault(operation.method, ([], tuple(names)))
        group.append(operation)
        node.methods[operation.method] = (group, tuple(names))

    def find(self, method: str, path: str) -> tuple[Group, dict[str, str]]:
        """The rows for a path below the mount, with its parameters decoded.

        Errors: NotFound for an unknown path; MethodNotAllowed, with `Allow`, for an unknown method.
        """
        values: list[str] = []
        segments = _segments(path)
        if self.aliased(path):
            segments = [self.service.aliases[segments[0]], *segments[1:]]
        node = self._walk(self._root, segments, 0, values)
        nameless = self.service.exact_paths and path.endswith("/") and len(segments) > 1
        if node is None or nameless:
            raise NotFound("The resource could not be found.")
        found = node.methods.get(method) or (node.methods.get("GET") if method == "HEAD" else None)
        if found is None:
            raise MethodNotAllowed(
                f"The method {method} is not allowed for this resource.",
                headers={"Allow": ", ".join(sorted(node.methods))},
            )
        group, names = found
        return group, dict(zip(names, values, strict=True))

    def aliased(self, path: str) -> bool:
        """Whether a path begins with one of the service's aliases."""
        return path.lstrip("/").partition("/")[0] in self.service.aliases

    def negotiate(self, path: str, headers: Mapping[str, str]) -> tuple[Version, Mapping[str, str]]:
        """The microversion of a request, and the headers that tell the client of it.

        Errors: BadRequest when it asks for what is none; NotAcceptable out of the range.
        """
        known = self.service.microversions
        if known is None:
            return (0, 0), {}
        if self.aliased(path):
            return known.lowest, {}
        version = known.negotiate(headers)
        return version, known.answer(version)

    def _walk(self, node: Node, segments: Sequence[str], at: int, values: list[str]) -> Node | None:
        if at == len(segments):
            return node if node.methods else None
        fixed = node.fixed.get(segments[at])
        if fixed is not None:
            found = self._walk(fixed, segments, at + 1, values)
            if found is not None:
                return found
        if node.parameter is not None:
            mark = len(values)
            values.append(unquote(segments[at]))
            found = self._walk(node.parameter, segments, at + 1, values)
            if found is not None:
                return found
            del values[mark:]
        return None


def _segments(path: str) -> Sequence[str]:
    return [segment for segment in path.split("/") if segment]
