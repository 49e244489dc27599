"""Compares our own calls and the simulator's answers with Meta's OpenAPI description."""
