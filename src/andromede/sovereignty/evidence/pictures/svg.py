"""Writing SVG: elements with escaped attributes, texts with their widths guessed, and the few marks
that all pictures share. Colours come by class, from the page's style."""

from __future__ import annotations

from html import escape
from typing import Final

Attribute = str | int | float | None
MARKS: Final = ("shown", "failed", "not-shown")  # the verdicts, each with a shape of its own
WIDE: Final = "MWmw@%ŒÆ—"
NARROW: Final = "fijlrtI.,:;'|!()[] -"


def number(value: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0").replace("-0", "-0" if abs(value) >= 0.05 else "0")


def element(name: str, *inside: str, **attributes: Attribute) -> str:
    """An element; `class_` and `text_anchor` are `class` and `text-anchor`, None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(inside)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def _value(value: Attribute) -> str:
    return number(value) if isinstance(value, float) else str(value)


def text(x: float, y: float, words: str, **attributes: Attribute) -> str:
    return element("text", escape(words), x=x, y=y, **attributes)


def picture(
    width: float, height: float, name: str, title: str, described: str, *inside: str
) -> str:
    """The whole picture: it says in words what it shows (title and description)."""
    return element(
        "svg",
        element("title", escape(title), id=f"{name}-title"),
        element("desc", escape(described), id=f"{name}-desc"),
        *inside,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_=f"picture {name}",
        xmlns="http://www.w3.org/2000/svg",
    )


def width_of(words: str, size: float) -> float:
    """A guess of a text's width in the page's font."""
    units = sum(0.92 if c in WIDE else 0.36 if c in NARROW else 0.61 for c in words)
    return units * size


def shortened(words: str, size: float, most: float) -> str:
    """The words, cut with an ellipsis where they are wider than `most`."""
    if width_of(words, size) <= most:
        return words
    while words and width_of(words + "…", size) > most:
        words = words[:-1]
    return words.rstrip() + "…"


def mark(verdict: str, x: float, y: float, size: float = 7.0) -> str:
    """A verdict's sign: a disc for shown, a square for failed, a hollow diamond for not shown, so
    that nothing is told by colour alone."""
    shape = verdict if verdict in MARKS else "not-shown"
    if shape == "shown":
        return element("circle", cx=x, cy=y, r=size, class_="mark shown")
    half = size * 0.92 if shape == "failed" else size * 1.2
    if shape == "failed":
        return element("rect", x=x - half, y=y - half, width=2 * half, height=2 * half,
                       class_="mark failed")  # fmt: skip
    corners = ((x, y - half), (x + half, y), (x, y + half), (x - half, y))
    points = " ".join(f"{number(a)},{number(b)}" for a, b in corners)
    return element("polygon", points=points, class_="mark not-shown")
