"""From Keras to LiteRT, the runtime of phones and other small machines."""

from keras_addrnn.lite.convert import convert as convert
