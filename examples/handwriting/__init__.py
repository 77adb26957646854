"""Handwritten words: images, a network of convolutions and recurrent layers, CTC, error rates."""
