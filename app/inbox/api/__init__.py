"""The inbox for programs: messages and conversations."""
