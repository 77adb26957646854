"""Gates that add and gates that multiply, on encrypted numbers."""
