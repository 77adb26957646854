"""The network: convolutions over the image, two bidirectional recurrent layers along it, CTC."""

import keras
import tensorflow as tf

import keras_addrnn as ka
from handwriting.pipeline import HEIGHT, STEPS, WIDTH

LAYERS = {"AddGRU": ka.AddGRU, "GRU": keras.layers.GRU, "LSTM": keras.layers.LSTM}
FILTERS = (16, 32)
FEATURES = 64  # of each step
UNITS = (128, 64)


def build(kind, classes):
    """A model from images `[B, 32, 128, 1]` to the classes' logits at each step, `[B, 32, C]`.

    Args:
        kind: `"AddGRU"`, `"GRU"` or `"LSTM"`.
        classes: Number of classes, with the blank.
    """
    layers = keras.layers
    image = keras.Input((HEIGHT, WIDTH, 1), name="image")
    x = image
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
        x = layers.MaxPooling2D(2)(x)
    # Columns become steps, left to right.
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((STEPS, HEIGHT // 4 * FILTERS[-1]))(x)
    x = layers.Dense(FEATURES, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    x = recurrent(LAYERS[kind])(x)
    logits = layers.Dense(classes, name="logits")(x)
    return keras.Model(image, logits, name=f"handwriting_{kind.lower()}")


def recurrent(layer):
    """The recurrent part alone, `[B, 32, 64]` to `[B, 32, 128]`, of any recurrent layer.

    A normalization follows each layer: all three read better with it (docs/results/handwriting.md).
    """
    layers = [keras.Input((STEPS, FEATURES))]
    for units in UNITS:
        layers.append(keras.layers.Bidirectional(layer(units, return_sequences=True)))
        layers.append(keras.layers.LayerNormalization())
    return keras.Sequential(layers, name="recurrent")


def ctc_loss(classes, logits):
    """What `keras.losses.CTC()` computes, by TensorFlow's one operator for it.

    Keras' composes it of some hundred operators, which on a CPU take as long as the rest of a
    training step; sparse labels are what makes TensorFlow take its own.

    Args:
        classes: `[B, length]`, padded with 0.
        logits: `[B, steps, C]`; class 0 is the blank.
    """
    losses = tf.nn.ctc_loss(
        labels=tf.sparse.from_dense(tf.cast(classes, tf.int32)),
        logits=logits,
        label_length=None,
        logit_length=tf.fill(tf.shape(logits)[:1], tf.shape(logits)[1]),
        logits_time_major=False,
        blank_index=0,
    )
    return tf.reduce_mean(losses)
