"""Sandboxes: where the test keys of a business pretend, behind walls of their own."""
