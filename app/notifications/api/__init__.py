"""Notifications for programs."""
