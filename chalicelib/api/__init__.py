"""The JSON interface: HTTP in, one call of a flow or a store, JSON out."""
