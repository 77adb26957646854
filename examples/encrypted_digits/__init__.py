"""A handwritten digit, recognized by a server that cannot see it."""
