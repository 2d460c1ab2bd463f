"""The hub command; no Lambda imports it."""
