"""Subscriptions for programs."""
