"""Word lists that the cleaning of leads needs."""
