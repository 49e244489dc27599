"""Contacts for programs: each of them, and everything about one."""
