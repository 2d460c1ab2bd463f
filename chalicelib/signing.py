"""The ways a provider proves that a request is its own."""
