"""One module for what one address is about."""
