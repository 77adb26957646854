"""TensorFlow's converter as a program: `python FOLDER` runs this folder.

Run so it imports nothing of `keras_addrnn`, and so no Keras.
"""
