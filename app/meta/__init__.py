"""Meta's Graph API and webhooks in plain Python, named after Meta's own words."""
