"""Entry points, their links and figures for programs."""
