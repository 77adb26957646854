"""Small networks with either gate, trained alike: digits read right against seconds, encrypted."""
