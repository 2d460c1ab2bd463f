"""Where results go, one module each."""
