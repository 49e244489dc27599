"""The simulator as a fixture: a running program at an address, as the product sees Meta."""
