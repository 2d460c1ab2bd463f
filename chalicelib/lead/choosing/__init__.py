"""How a pool chooses among those who can take a lead; the ledger has the last word everywhere."""
