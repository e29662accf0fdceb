"""Handlers of evidence: a project's signed archive, the SEAL, and the public page."""

from __future__ import annotations

from typing import Any

from andromede.cloud import Cloud, Keys
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.operation import Reply
from andromede.services.identity import api as identity
from andromede.services.sovereignty import placed
from andromede.services.sovereignty.evidence_schema import PublicBody, SealBody
from andromede.sovereignty.evidence import bundle, gather, public, seal, store
from andromede.sovereignty.world import facts as world

ZIP = "application/zip"
HTML = "text/html; charset=utf-8"


def _keys(cloud: Cloud) -> Keys:
    assert cloud.keys is not None
    return cloud.keys


def _cloud(context: Context) -> gather.Cloud:
    keys = _keys(context.cloud)
    return gather.Cloud(
        config=context.cloud.config,
        paths=context.cloud.paths,
        origin=keys.log_verifier().partition("+")[0],
        verifier=keys.log_verifier(),
    )


def _home(context: Context) -> str:
    """The cloud's own site."""
    return context.cloud.config.place.site


def archive(context: Context) -> Reply:
    """The evidence of a project: a ZIP that `andromede verify` checks offline.

    Errors: NotFound for a project that is not there, or not the caller's to see.
    """
    project = context.params["id"]
    cloud = _cloud(context)
    with context.cloud.database.read() as connection:
        seen = context.caller.admin or project == context.project_id
        if not seen or not identity.project_exists(connection, project):
            raise NotFound(f"Project {project} could not be found.")
        resources = store.placed(connection, placed.sources(_home(context)), project)
        document, log = gather.gather(connection, cloud, project, resources)
    context.touches(project, project)
    packed = bundle.make(document, log, _keys(context.cloud).sign_manifest)
    named = {"Content-Disposition": f'attachment; filename="{bundle.name(document)}"'}
    return Reply(200, packed, named, media_type=ZIP)


def show_seal(context: Context) -> SealBody:
    """The cloud's level of sovereignty, by criterion, with reasons."""
    facts = world.current(context.conn)
    return SealBody(gather.assess(context.conn, _cloud(context), facts))


def answer_seal(context: Context) -> SealBody:
    """Declare an answer to a criterion.

    Errors: NotFound for no criterion; Conflict for one that is computed; BadRequest for an answer
    that it does not have.
    """
    criterion, given = _criterion(context), context.body.answer
    try:
        seal.check(criterion, given.answer)
    except ValueError as error:
        raise BadRequest(f"{error}.") from error
    store.answer(
        context.conn, criterion.id, given.answer, given.because_en, given.because_fr,
        context.caller.user_id,
    )  # fmt: skip
    _logged(context, criterion.id, answer=given.answer)
    return show_seal(context)


def withdraw_seal(context: Context) -> Reply:
    """Withdraw an answer to a criterion.

    Errors: NotFound for no criterion, or one without an answer; Conflict for one that is computed.
    """
    criterion = _criterion(context)
    if not store.withdraw(context.conn, criterion.id):
        raise NotFound(f"Criterion {criterion.id} has no answer of the operator's.")
    _logged(context, criterion.id)
    return Reply(204)


def _logged(context: Context, criterion: str, **notes: Any) -> None:
    context.concerns(criterion, "*")
    context.notes = dict(notes)


def _criterion(context: Context) -> seal.Criterion:
    """Errors: NotFound; Conflict."""
    known = seal.framework().criteria()
    key = context.params["id"]
    if key not in known:
        raise NotFound(f"There is no criterion {key}: SOV-1.1 to SOV-8.4 are known.")
    if known[key].source != seal.OPERATOR:
        raise Conflict(
            f"Criterion {key} is answered from what the cloud knows, and by nobody's word; change "
            f"what it is computed from."
        )
    return known[key]


def show_public(context: Context) -> Reply | PublicBody:
    """Sites, operators, laws and sub-processors, for anyone: HTML, or JSON where that is asked for.

    Errors: BadRequest for a language that the page does not have.
    """
    facts = world.current(context.conn)
    found = public.gather(context.conn, _cloud(context), facts)
    accept = context.headers.get("accept", "")
    if "application/json" in accept and "text/html" not in accept:
        return PublicBody(found)
    language = context.first("lang") or public.choose(context.headers.get("accept-language", ""))
    if language not in public.LANGUAGES:
        known = " and ".join(public.LANGUAGES)
        raise BadRequest(f"lang is {language!r}: {known} are accepted.")
    headers = {
        "Content-Language": language, "Vary": "Accept, Accept-Language",
        "Content-Security-Policy": public.policy(), "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    page = public.render(found, language).encode()
    return Reply(200, page, headers, media_type=HTML)
