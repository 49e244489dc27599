"""What customers see when they open a number's profile."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from . import resumable_uploads
from .graph import GraphClient
from .payload import mapping, sequence, text

_FIELDS = "about,address,description,email,profile_picture_url,websites,vertical"
LARGEST, SECONDS = 5 * 1024 * 1024, 10.0
VERTICALS = (
    "ALCOHOL",
    "APPAREL",
    "AUTO",
    "BEAUTY",
    "EDU",
    "ENTERTAIN",
    "EVENT_PLAN",
    "FINANCE",
    "GOVT",
    "GROCERY",
    "HEALTH",
    "HOTEL",
    "NONPROFIT",
    "ONLINE_GAMBLING",
    "OTC_DRUGS",
    "OTHER",
    "PHYSICAL_GAMBLING",
    "PROF_SERVICES",
    "RESTAURANT",
    "RETAIL",
    "TRAVEL",
)


@dataclass(frozen=True, slots=True)
class BusinessProfile:
    about: str = ""
    address: str = ""
    description: str = ""
    email: str = ""
    websites: tuple[str, ...] = ()
    vertical: str = ""
    picture_url: str = ""


def fetch(graph: GraphClient, token: str, phone_number_id: str) -> BusinessProfile:
    """The profile of a number. Raises MetaError."""
    answer = graph.get(f"{phone_number_id}/whatsapp_business_profile", token=token, params={"fields": _FIELDS})
    profile = mapping(next(iter(sequence(answer.get("data"))), None))
    websites = (text(address, 256) for address in sequence(profile.get("websites")))
    return BusinessProfile(
        about=text(profile.get("about"), 139) or "",
        address=text(profile.get("address"), 256) or "",
        description=text(profile.get("description"), 512) or "",
        email=text(profile.get("email"), 128) or "",
        websites=tuple(filter(None, websites)),
        vertical=text(profile.get("vertical"), 40) or "",
        picture_url=text(profile.get("profile_picture_url"), 2_000) or "",
    )


def picture(graph: GraphClient, token: str, phone_number_id: str) -> bytes:
    """The photo that customers see; empty where there is none. Raises MetaError."""
    address = fetch(graph, token, phone_number_id).picture_url
    into = BytesIO()
    if address:
        graph.download(address, into, token=None, limit=LARGEST, seconds=SECONDS)
    return into.getvalue()


def update(graph: GraphClient, token: str, phone_number_id: str, **changed: Any) -> None:
    """Changes what is named. Raises MetaError."""
    request = {"messaging_product": "whatsapp", **changed}
    graph.post(f"{phone_number_id}/whatsapp_business_profile", token=token, json=request)


def upload_picture(graph: GraphClient, token: str, content: bytes, mime_type: str) -> str:
    """Hands Meta a picture; its handle, for `profile_picture_handle`. Raises MetaError."""
    return resumable_uploads.upload(graph, token, graph.app_id, "profile", mime_type, content)
