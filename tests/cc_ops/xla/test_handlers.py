"""What the handlers answer to an XLA of another version: by hand, as no JAX here calls them so."""

import ctypes
import re

import pytest

from tests.support import HAS_CORE, needs_core

pytestmark = needs_core
if HAS_CORE:
    from addrnn import _core

METADATA = 1
EXECUTE = 3


class Extension(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("type", ctypes.c_uint),
        ("next", ctypes.c_void_p),
        ("metadata", ctypes.c_void_p),
    ]


class Version(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("extension_start", ctypes.c_void_p),
        ("major", ctypes.c_int),
        ("minor", ctypes.c_int),
    ]


class Metadata(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("api_version", Version),
        ("traits", ctypes.c_uint32),
    ]


class ErrorArguments(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("extension_start", ctypes.c_void_p),
        ("message", ctypes.c_char_p),
        ("code", ctypes.c_uint),
    ]


CREATE_ERROR = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(ErrorArguments))


class Api(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("extension_start", ctypes.c_void_p),
        ("version", Version),
        ("internal_api", ctypes.c_void_p),
        ("create_error", CREATE_ERROR),
    ]


class Tensors(ctypes.Structure):
    """Of arguments and results; attributes have `names` too."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("extension_start", ctypes.c_void_p),
        ("size", ctypes.c_int64),
        ("types", ctypes.POINTER(ctypes.c_uint)),
        ("values", ctypes.POINTER(ctypes.c_void_p)),
    ]


class Attributes(ctypes.Structure):
    _fields_ = [*Tensors._fields_[:4], ("names", ctypes.c_void_p), ("attrs", ctypes.c_void_p)]


class Frame(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("extension_start", ctypes.POINTER(Extension)),
        ("api", ctypes.POINTER(Api)),
        ("ctx", ctypes.c_void_p),
        ("stage", ctypes.c_uint),
        ("arguments", Tensors),
        ("results", Tensors),
        ("attributes", Attributes),
    ]


HANDLER = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(Frame))


def answer(name, *, major=0, minor=3, extension=None, **changes):
    """The message of the error that a handler makes of a call, or None."""
    messages = []

    def create_error(arguments):
        messages.append(arguments.contents.message.decode())
        return 1  # no handler looks at it

    keep = CREATE_ERROR(create_error)
    version = Version(ctypes.sizeof(Version), None, major, minor or 0)
    api = Api(ctypes.sizeof(Api), None, version, None, keep)
    functions = None if minor is None else ctypes.pointer(api)
    frame = Frame(ctypes.sizeof(Frame), None, functions, None, EXECUTE)
    if extension is not None:
        frame.extension_start = ctypes.pointer(extension)
    for field, value in changes.items():
        setattr(frame, field, value)
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    failed = HANDLER(pointer(_core.xla_handlers[name], None))(ctypes.byref(frame))
    assert bool(failed) == bool(messages)
    return messages[0] if messages else None


def names():
    return list(_core.xla_handlers) if HAS_CORE else []


# XLA refuses handlers that are newer than itself. That of TensorFlow 2.20 does not say its version.
@pytest.mark.parametrize("minor", [None, 1, 2, 9])
@pytest.mark.parametrize("name", names())
def test_metadata(name, minor):
    metadata = Metadata(ctypes.sizeof(Metadata))
    extension = Extension(ctypes.sizeof(Extension), METADATA, None, ctypes.addressof(metadata))
    assert answer(name, minor=minor, extension=extension) is None
    assert (metadata.api_version.major, metadata.api_version.minor) == (0, minor or 1)
    metadata.struct_size = 8
    assert "this XLA is too old" in answer(name, extension=extension)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(
    "changes, message",
    [
        ({"major": 1}, "must be of major version 0, received 1"),
        ({"struct_size": 40}, "this XLA is too old: .* has 40 bytes"),
        ({"stage": 0}, "the stage of execution"),
        ({}, "the number of arguments must be"),
    ],
)
def test_refuses(name, changes, message):
    assert re.search(message, answer(name, **changes))


def test_an_argument_that_is_no_tensor():
    types, values = (ctypes.c_uint * 4)(1, 1, 2, 1), (ctypes.c_void_p * 4)()
    arguments = Tensors(ctypes.sizeof(Tensors), None, 4, types, values)
    results = Tensors(ctypes.sizeof(Tensors), None, 2, types, values)
    found = answer("addrnn_add_gru_step_grad", arguments=arguments, results=results)
    assert "d_outputs must be a tensor" in found


def test_a_tensor_whose_struct_is_too_small():
    size = ctypes.c_size_t(8)
    types = (ctypes.c_uint * 4)(1, 1, 1, 1)
    values = (ctypes.c_void_p * 4)(*[ctypes.addressof(size)] * 4)
    arguments = Tensors(ctypes.sizeof(Tensors), None, 4, types, values)
    results = Tensors(ctypes.sizeof(Tensors), None, 2, types, values)
    found = answer("addrnn_add_gru_step_grad", arguments=arguments, results=results)
    assert "this XLA is too old: its struct of a tensor has 8 bytes" in found
