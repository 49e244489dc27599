"""What our own calls and the simulator's answers look like beside Meta's OpenAPI description."""
