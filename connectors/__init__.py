"""Connectors, one folder for each provider."""
