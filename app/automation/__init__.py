"""Automations: rules and flows that say why they ran, or why not."""
