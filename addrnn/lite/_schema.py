"""The schema of LiteRT's files, as classes. Functions import this module when they need it.

LiteRT ships the schema without TensorFlow. TensorFlow ships it too and stands in where LiteRT is
missing, since converting a Keras model needs nothing else of LiteRT. That is the one import of
TensorFlow in `addrnn` outside `addrnn.tensorflow`.
"""

__all__ = ["Builder", "schema"]

try:
    from ai_edge_litert import schema_py_generated as schema
except ImportError:
    try:
        from tensorflow.lite.python import schema_py_generated as schema
    except ImportError as error:
        raise ImportError(
            "Writing LiteRT files needs their schema. Run `pip install ai-edge-litert`, or install "
            "keras_addrnn[litert]."
        ) from error

from flatbuffers import Builder  # LiteRT and TensorFlow both install it
