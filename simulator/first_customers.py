"""A few customers to start with, so that the phone page is not empty."""

from simulator.context import Context
from simulator.customers import Customer

FIRST_CUSTOMERS = {
    "Maria Silva": "5511987654321",
    "Ahmed Hassan": "201001234567",
    "Lena Fischer": "4915112345678",
    "Dana Levi": "972541234567",
    "Priya Nair": "919820012345",
}


def create_first_customers(world: Context) -> None:
    if not world.store.row("select 1 from customers"):
        for name, digits in FIRST_CUSTOMERS.items():
            Customer.with_number(world, digits, name)
