"""An integer model on encrypted numbers: TFHE, by concrete-python.

`compile` makes the circuit of an `IntegerModel`; `Client` and `Server` are the two sides of what is
saved of it. Neither Keras nor TensorFlow is imported, and concrete-python only when it is used: it
does not live with TensorFlow in one process.
"""

import importlib

_MODULE_OF = {
    "Client": "client",
    "EncryptedModel": "model",
    "Server": "server",
    "compile": "compiler",
}

__all__ = list(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
