"""One model in integers alone, which every executor runs with the same bits (docs/integer.md).

`IntegerModel` describes it and `golden` defines what it computes. Neither Keras nor TensorFlow is
imported, but by what starts from a Keras model.
"""

import importlib

_MODULE_OF = {
    "Affine": "affine",
    "IntegerAddGRU": "layers",
    "IntegerDense": "layers",
    "IntegerModel": "model",
    "load": "file",
    "quantization_aware": "aware",
    "quantize": "quantizer",
}

__all__ = list(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
