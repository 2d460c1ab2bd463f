"""HTTP in, one call of a flow, JSON out; and the pages behind the links in notifications."""
