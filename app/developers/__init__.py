"""For people who write programs: API keys, and the pages that describe the API."""
