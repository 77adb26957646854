"""The fused TensorFlow op with its gradient, for programs with and without Keras."""
