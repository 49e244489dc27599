import json
from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import ids
from simulator.record import Record
from simulator.wabas import Waba


@dataclass
class Catalog(Record):
    """A product catalogue that is connected to a WABA."""

    table: ClassVar[str] = "catalogs"

    waba_id: str
    products: str | None
    created_at: float

    @classmethod
    def connect(cls, waba: Waba, catalog_id: str = "", products: list[str] | None = None) -> Self:
        """Connects a catalogue, or changes its products. Without a list it has every product."""
        listed = None if products is None else json.dumps(products)
        if catalog := cls.find(waba.world, catalog_id):
            catalog.update(waba_id=waba.id, products=listed)
            return catalog
        id, now = catalog_id or ids.object_id(), waba.world.clock.now()
        return cls.create(waba.world, id=id, waba_id=waba.id, products=listed, created_at=now)

    @classmethod
    def of_waba(cls, waba: Waba) -> list[Self]:
        """The catalogues connected to an account."""
        return cls.where(waba.world, "waba_id = ? order by created_at", waba.id)

    def has_product(self, retailer_id: str) -> bool:
        """True if the catalogue has the product."""
        return self.products is None or retailer_id in json.loads(self.products)
