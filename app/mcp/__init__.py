"""The door for assistants: the Model Context Protocol, with the same keys, limits and walls as the API."""
