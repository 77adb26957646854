"""A handwritten digit, recognised by a server that cannot see it."""
