"""Listings, saved searches and inquiries for programs."""
