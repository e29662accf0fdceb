"""How the image API says no: JSON to clients that ask for it, a page of HTML to all others.

Source: the Image service, whose clients read both (openstacksdk the JSON, glanceclient the page).
"""

from __future__ import annotations

import html
from typing import Any

from andromede.http.errors import ApiError, identity_shape, reason


def shape(error: ApiError) -> Any:
    if error.status == 401:
        return identity_shape(error)
    title = reason(error.status)
    return {"message": error.message, "code": f"{error.status} {title}", "title": title}


def page(error: ApiError) -> str:
    title = f"{error.status} {reason(error.status)}"
    return (
        f"<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n"
        f"  {html.escape(error.message, quote=False)}<br /><br />\n\n\n </body>\n</html>"
    )
