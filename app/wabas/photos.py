"""Whether numbers have a profile photo: it may be changed elsewhere, and Meta posts no webhook about it."""

from __future__ import annotations

from app.crypto import Undecryptable
from app.extensions import outside
from app.meta import business_profiles
from app.meta.errors import MetaError
from app.tenancy import announce, commit, db

from .models import Waba


def check_photos(waba: Waba) -> None:
    """Stores what Meta says of each connected number; a lost answer changes nothing."""
    try:
        token = waba.token
    except Undecryptable:
        return
    numbers, graph = [number for number in waba.phone_numbers if number.state == "connected"], outside().graph
    for number in numbers if token else ():
        commit()
        try:
            profile = business_profiles.fetch(graph, token, number.meta_id)
        except MetaError:
            continue
        db.session.refresh(number)
        if number.has_photo != (has_photo := bool(profile.picture_url)):
            number.has_photo = has_photo
            announce("number", number.id)
