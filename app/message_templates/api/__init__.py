"""Templates for programs."""
