"""From Keras to LiteRT, the runtime of phones and other small machines.

`convert` needs Keras on TensorFlow and `Interpreter` needs LiteRT only, so each is imported when it
is first used.
"""

import importlib

_MODULE_OF = {
    "convert": "converter",
    "convert_integer": "integer",
    "streaming_model": "streaming",
    "Interpreter": "interpreter",
    "delegate_path": "interpreter",
}

__all__ = list(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
