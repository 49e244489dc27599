"""Webhooks: what they contain, where they go, and how they are delivered and repeated."""
