"""The document's parts as pictures: places, owners, accesses."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from andromede.sovereignty.evidence import phrases
from andromede.sovereignty.evidence.model import EntityPart, Evidence, HoldingPart, SitePart
from andromede.sovereignty.evidence.pictures import owners, places, timeline
from andromede.sovereignty.evidence.words import country, say
from andromede.sovereignty.words import THEN, percentage

DAY: Final = timeline.DAY
WINDOW: Final = 90 * DAY  # the timeline looks back so far at least
KINDS: Final = {
    "company": "company", "public-body": "public body", "person": "person", "holders": "holders",
}  # fmt: skip
HALF: Final = Decimal(50)
MARKS: Final = 1_000  # on the timeline


def site_map(sites: Sequence[SitePart], language: str) -> str:
    """The map; nothing where no site has a declared place."""
    spots = []
    for site in sites:
        spot = places.Spot(
            label=site.name,
            note=_note(site, language),
            verdict=site.verdict,
            country=str(site.country.value or ""),
            latitude=site.latitude,
            longitude=site.longitude,
        )
        if spot.where() is not None:
            spots.append(spot)
    if not spots:
        return ""
    described = THEN.in_(language).join(
        say(language, "{what}: {said}", what=each.label, said=each.note) for each in spots
    )
    return places.draw(spots, say(language, "Map of the sites"), described)


def _note(site: SitePart, language: str) -> str:
    where = site.place.value or country(language, str(site.country.value or "undeclared"))
    return f"{where} · {phrases.verdict(language, site.verdict)}"


def ownership(
    entities: Sequence[EntityPart], holdings: Sequence[HoldingPart], language: str
) -> str:
    """The graph; nothing without entities. What nobody declared of a company's capital is a box of
    its own."""
    known = {each.id for each in entities}
    boxes = [
        owners.Box(
            id=each.id, name=each.name, note=_entity_note(each, language),
            where="undeclared" if each.in_eu is None else "eu" if each.in_eu else "outside",
            operator=each.operator,
        )
        for each in entities
    ]  # fmt: skip
    shares = [
        owners.Share(holder=each.holder, held=each.held, label=_share(each, language),
                     strong=_strong(each))
        for each in holdings
        if {each.holder, each.held} <= known
    ]  # fmt: skip
    for each in entities:
        rest = Decimal(each.undeclared)
        if rest > 0:
            key = f"undeclared owners of {each.id}"
            name = say(language, "undeclared")
            boxes.append(owners.Box(id=key, name=name, note="", where="undeclared"))
            shares.append(owners.Share(holder=key, held=each.id, label=_percent(rest, language)))
    described = THEN.in_(language).join(
        say(
            language, "{what}: {said}", said=_share(each, language),
            what=f"{_name(entities, each.holder)} → {_name(entities, each.held)}",
        )
        for each in holdings
    )  # fmt: skip
    return owners.draw(boxes, shares, say(language, "Graph of owners"), described)


def _entity_note(each: EntityPart, language: str) -> str:
    code = str(each.country.value or "undeclared")
    where = say(language, "EU") if code == "EU" else country(language, code)
    return f"{where} · {say(language, KINDS.get(each.kind, each.kind))}"


def _name(entities: Sequence[EntityPart], key: str) -> str:
    return next((each.name for each in entities if each.id == key), key)


def _percent(share: Decimal, language: str) -> str:
    plain = f"{share.quantize(Decimal('0.01'))}".rstrip("0").rstrip(".")
    return percentage(plain).in_(language)


def _share(each: HoldingPart, language: str) -> str:
    parts = []
    if each.capital is not None:
        parts.append(_percent(Decimal(each.capital), language))
    if each.votes is not None and each.votes != each.capital:
        parts.append(say(language, "votes {share}", share=_percent(Decimal(each.votes), language)))
    if each.veto:
        parts.append(say(language, "veto"))
    if each.board:
        parts.append(say(language, "board"))
    return " · ".join(parts) or say(language, "share undeclared")


def _strong(each: HoldingPart) -> bool:
    most = max(Decimal(each.capital or 0), Decimal(each.votes or 0))
    return each.veto or each.board or most > HALF


def accesses(document: Evidence, language: str) -> tuple[str, int]:
    """The timeline of the last months: accesses, consents, emergencies, findings; and how many of the
    oldest it does not show."""
    rows = [say(language, word) for word in ("Accesses", "Consents", "Emergencies", "Findings")]
    events = [
        timeline.Event(
            row=rows[0], at=each.time, text=f"{each.action} {each.status}",
            kind="refused" if each.status >= 400 else "emergency" if each.emergency else "access",
        )
        for each in document.accesses
    ]  # fmt: skip
    for row in document.consents:
        if row.get("since") is None:
            continue
        urgent = bool(row.get("emergency"))
        end = row.get("ended_at") or row.get("until")
        events.append(
            timeline.Event(row=rows[2 if urgent else 1], at=int(row["since"]), until=int(end or 0)
                           or None, kind="emergency" if urgent else "consent",
                           text=str(row.get("reason", "")))
        )  # fmt: skip
    for row in document.findings:
        end = row.get("closed") or row.get("deadline") or document.made
        events.append(
            timeline.Event(row=rows[3], at=int(row["opened"]), until=int(end), kind="finding",
                           text=str(row.get("rule", "")))
        )  # fmt: skip
    unseen = max(0, len(events) - MARKS)
    events = sorted(events, key=lambda each: each.at)[unseen:]
    first = min((each.at for each in events), default=document.made)
    since = min(first - DAY, document.made - WINDOW)
    described = say(
        language, "{n} accesses by operators, {consents} consents and emergencies, {findings} findings",
        n=len(document.accesses), consents=len(document.consents), findings=len(document.findings),
    )  # fmt: skip
    title = say(language, "Timeline of accesses")
    drawn = timeline.draw(rows, events, since, document.made, language, title, described)
    return drawn, unseen
