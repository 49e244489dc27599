"""What listings are: the words that people and programs use for kinds, types and states, and ours for them."""

from __future__ import annotations

from app.folding import fold
from app.words import N_

KINDS = {"sale": N_("For sale"), "rent": N_("For rent")}
STATUSES = {
    "available": N_("Available"),
    "reserved": N_("Reserved"),
    "sold": N_("Sold"),
    "let": N_("Let"),
    "withdrawn": N_("Withdrawn"),
}
# Types that we have words for; others are taken as they are written.
TYPES = {
    "villa": N_("Villa"),
    "house": N_("House"),
    "flat": N_("Flat"),
    "studio": N_("Studio"),
    "room": N_("Room"),
    "land": N_("Land"),
    "office": N_("Office"),
    "shop": N_("Shop"),
    "warehouse": N_("Warehouse"),
    "building": N_("Building"),
}
# fmt: off
SAME = {
    "kind": {
        "sale": ("sale", "for sale", "sell", "buy", "a vendre", "vente", "achat", "venta", "en venta",
                 "compra", "venda",
                 "kauf", "verkauf", "للبيع", "بيع", "شراء"),
        "rent": ("rent", "for rent", "to let", "rental", "let", "lease", "a louer", "location",
                 "louer", "alquiler",
                 "en alquiler", "arriendo", "aluguel", "arrendamento", "miete", "zu vermieten",
                 "للايجار", "ايجار", "كراء"),
    },
    "type": {
        "villa": ("villa", "villas", "فيلا"),
        "house": ("house", "home", "maison", "casa", "haus", "بيت", "منزل", "دار"),
        "flat": ("flat", "apartment", "appartement", "appart", "apartamento", "departamento", "piso",
                 "wohnung", "شقه"),
        "studio": ("studio", "استوديو"),
        "room": ("room", "chambre", "habitacion", "quarto", "zimmer", "غرفه"),
        "land": ("land", "plot", "terrain", "parcelle", "terreno", "lote", "grundstuck", "ارض", "قطعه ارض"),
        "office": ("office", "bureau", "bureaux", "oficina", "escritorio", "buro", "مكتب"),
        "shop": ("shop", "store", "boutique", "magasin", "local commercial", "tienda", "loja", "laden", "محل"),
        "warehouse": ("warehouse", "entrepot", "deposito", "almacen", "lager", "مستودع"),
        "building": ("building", "immeuble", "edificio", "gebaude", "عماره", "مبني"),
    },
    "status": {
        "available": ("available", "active", "disponible", "libre", "verfugbar", "disponivel", "متاح",
                      "1", "true", "yes"),
        "reserved": ("reserved", "under offer", "reserve", "reservado", "reserviert", "pending", "محجوز"),
        "sold": ("sold", "vendu", "vendido", "verkauft", "مباع"),
        "let": ("let", "rented", "loue", "alquilado", "alugado", "vermietet", "موجر"),
        "withdrawn": ("withdrawn", "inactive", "retire", "off market", "deleted", "0", "false", "no"),
    },
}
# fmt: on
SPELLED = {what: {fold(word): name for name, words in names.items() for word in words} for what, names in SAME.items()}


def read_kind(written: str) -> str | None:
    return SPELLED["kind"].get(fold(written[:100]))


def read_status(written: str) -> str | None:
    return SPELLED["status"].get(fold(written[:100]))


def read_type(written: str) -> str:
    """The type's name by which it is compared: ours where we have a word for it, else the folded words."""
    words = fold(written[:100])
    return SPELLED["type"].get(words) or words[:60]
