"""What becomes of a model whose GRU is replaced by another layer, and nothing else?"""
