"""What the columns of a feed hold, by their titles."""

from __future__ import annotations

from collections.abc import Sequence

from app.contacts.tables.columns import simplified

# fmt: off
TITLES = {
    "external_id": ("external id", "reference", "ref", "id", "listing id", "property id", "sku",
                    "code", "nummer",
                    "referencia", "referencia id", "objektnummer", "objekt nr", "رقم", "المرجع", "رمز"),
    "title": ("title", "name", "headline", "titre", "titulo", "titel", "bezeichnung", "nom", "العنوان",
              "عنوان", "الاسم"),
    "kind": ("kind", "offer", "transaction", "transaction type", "purpose", "offre", "operacion", "finalidade",
             "vermarktung", "vermarktungsart", "نوع العرض", "الغرض"),
    "type": ("type", "property type", "category", "type de bien", "categorie", "tipo", "objektart",
             "art", "النوع", "نوع"),
    "city": ("city", "town", "ville", "ciudad", "cidade", "ort", "stadt", "location", "المدينه", "مدينه"),
    "district": ("district", "neighbourhood", "neighborhood", "area name", "quartier", "barrio",
                 "bairro", "stadtteil",
                 "zone", "commune", "الحي", "حي"),
    "price": ("price", "prix", "precio", "preco", "preis", "kaufpreis", "amount", "rent", "loyer",
              "السعر", "سعر", "الثمن"),
    "currency": ("currency", "devise", "moneda", "moeda", "wahrung", "العمله", "عمله"),
    "rooms": ("rooms", "bedrooms", "pieces", "chambres", "nombre de pieces", "habitaciones", "quartos",
              "zimmer",
              "عدد الغرف", "الغرف", "غرف"),
    "area": ("area", "surface", "size", "living area", "sqm", "m2", "superficie", "wohnflache",
             "flache", "المساحه", "مساحه"),
    "url": ("url", "link", "lien", "page", "enlace", "website", "الرابط", "رابط"),
    "picture_url": ("picture url", "picture", "image", "image url", "photo", "photos", "foto",
                    "imagen", "bild", "الصوره", "صوره"),
    "description": ("description", "text", "descriptif", "descripcion", "descricao", "beschreibung",
                    "details", "الوصف", "وصف"),
    "status": ("status", "availability", "available", "statut", "disponibilite", "estado", "verfugbar",
               "الحاله", "حاله"),
    "owner_phone": ("owner phone", "landlord phone", "owner", "proprietaire", "telephone proprietaire",
                    "propietario",
                    "eigentumer", "هاتف المالك", "المالك"),
    "listed_at": ("listed at", "date", "published", "published at", "created at",
                  "date de publication", "fecha", "datum",
                  "تاريخ", "التاريخ"),
    "attributes": ("attributes",),
}
# fmt: on
NAME_BY_TITLE = {simplified(title): name for name, titles in TITLES.items() for title in titles}
NEEDED = ("external_id", "title")


def guess_columns(titles: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """What each column holds, by its place as text, and the other titles. The first column of a kind wins."""
    columns: dict[str, str] = {}
    others = []
    for place, title in enumerate(titles):
        name = NAME_BY_TITLE.get(simplified(title), "")
        if name and name not in columns.values():
            columns[str(place)] = name
        elif title.strip():
            others.append(title.strip())
    return columns, others
