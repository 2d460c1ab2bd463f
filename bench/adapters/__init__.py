"""The hub behind the plain protocols that anyone can measure it by."""
