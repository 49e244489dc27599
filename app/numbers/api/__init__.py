"""Numbers for programs: which there are, how each is, and what Meta charged."""
