"""Other people's clients of Meta run their own documented examples against the simulator."""
