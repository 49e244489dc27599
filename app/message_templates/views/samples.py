"""The samples of templates, for the members of their tenant. Nothing in them may run on our pages."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from flask import Response, abort

from app.message_templates.blueprint import bp
from app.message_templates.samples import TemplateSample
from app.sniffing import is_shown
from app.storage import NotStored, StorageUnavailable
from app.tenancy import commit, requires


@bp.get("/samples/<uuid:sample_id>")
@requires("templates.view")
def sample(sample_id: uuid.UUID) -> Response:
    stored = TemplateSample.get_or_404(sample_id)
    shape = "inline" if is_shown(stored.mime) else "attachment"
    headers = {
        "Cache-Control": "private, max-age=86400",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Disposition": f"{shape}; filename*=UTF-8''{quote(stored.name)}",
        "Content-Length": str(stored.size),
    }
    commit()
    try:
        return Response(stored.stream(), headers=headers, content_type=stored.mime)
    except NotStored:
        abort(404)
    except StorageUnavailable:
        abort(503)
