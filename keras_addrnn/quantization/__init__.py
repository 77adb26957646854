"""From a Keras model to an integer model: post-training, or trained with its rounding."""

from keras_addrnn.quantization._quantization_aware import quantization_aware as quantization_aware
from keras_addrnn.quantization._quantize import quantize as quantize
