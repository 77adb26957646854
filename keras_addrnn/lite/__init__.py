"""From a Keras model to a LiteRT file, for phones and other small machines."""

from keras_addrnn.lite._converter import convert as convert
from keras_addrnn.lite._streaming import streaming_model as streaming_model
