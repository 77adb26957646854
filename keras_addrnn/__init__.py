"""Addition-gated recurrent layers for Keras, with a fused TensorFlow op.

Importing this package is cheap: Keras, and the backend that it runs on, are imported when a name is
first used.
"""

import importlib

from keras_addrnn import registration
from keras_addrnn.info import info as info  # imports nothing; and its module may not take its name

__version__ = "0.1.0"

_MODULES = ("fhe", "integer", "layers", "lite", "ops")
_LAYERS = ("AddGRU", "AddGRUCell")

__all__ = ["__version__", "info", *_LAYERS, *_MODULES]

registration.register_with_keras()


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _LAYERS:
        return getattr(importlib.import_module(f"{__name__}.layers"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
