"""Whose submission it is: records compared field by field, the evidence added up in bits."""
