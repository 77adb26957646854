"""How many bits a gate needs."""
