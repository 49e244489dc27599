"""Contacts for programs: their shape, and what a business has for all of them (tags, fields)."""
