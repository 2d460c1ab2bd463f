"""The predictive score: a card of points that says how likely a lead is to be won."""
