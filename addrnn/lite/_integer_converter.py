"""Integer model to LiteRT file (`.tflite`): one operator for each layer, without a converter."""

import os

from addrnn import _validation
from addrnn._atomic_file import checked_path, replacing
from addrnn._version import __version__
from addrnn.layers import IntegerDense, IntegerMinAddGRU
from addrnn.lite import _operators
from addrnn.model import IntegerModel


def convert_integer(
    model: IntegerModel,
    path: str | os.PathLike[str] | None = None,
    *,
    batch_size: int | None = 1,
    mask: bool = False,
) -> bytes:
    """Writes an integer model as a LiteRT flatbuffer.

    Each layer becomes one operator, `AddGruInt`, `MinAddGruInt` or `AddGruIntDense`, which
    `addrnn.lite.Interpreter` runs, and so does any other interpreter that loads our delegate.
    The file gives the same integers as `model.run`, bit for bit. It has one input, `"inputs"`, int8
    or int16 `[batch, time, features]`, and one output, `"outputs"`, int32 behind an `IntegerDense`
    and int16 otherwise, each with its scale and zero point. Inputs out of range count as the
    nearest that is not. The time axis is open: set its length with
    `Interpreter.resize_tensor_input`.

    The same model gives the same bytes.

    Args:
        model: `addrnn.IntegerModel`.
        path: Where to write the file too; it is replaced whole or not at all. None for nowhere.
        batch_size: Size of the batch axis, a positive integer; or None, to leave it open.
        mask: Whether the file has a second input `"mask"`, booleans `[batch, time]`. Where it is
            False, the states stay as they are.

    Returns:
        The flatbuffer, `bytes`.

    Raises:
        ImportError: The schema of LiteRT's files is missing: install keras_addrnn[litert].
        TypeError: `model` is not an `IntegerModel`, or `batch_size` not an integer.
        ValueError: `batch_size` is not positive, or `path` not that of a file in a directory.

    Example:

    >>> model = addrnn.load("digits.safetensors")
    >>> content = addrnn.lite.convert_integer(model, "digits.tflite")
    """
    if not isinstance(model, IntegerModel):
        raise _validation.type_error(
            "model",
            "be an addrnn.IntegerModel",
            type(model).__name__,
            "keras_addrnn.quantization.quantize makes one of a Keras model.",
        )
    if batch_size is not None:
        batch_size = _validation.integer("batch_size", batch_size, 1, _validation.INT32_MAX)
    target = None if path is None else checked_path(path)
    content = _content(model, batch_size, _validation.flag("mask", mask))
    if target is not None:
        with replacing(target) as temporary:
            temporary.write_bytes(content)
    return content


def _content(model: IntegerModel, batch_size: int | None, mask: bool) -> bytes:
    from addrnn.lite._integer_file import IntegerFile  # needs the schema

    inputs, file = model.inputs, IntegerFile()
    shape = batch_size, None, model.features
    values = file.input("inputs", inputs.dtype, shape, inputs.scale, inputs.zero_point)
    masks = file.input("mask", bool, (batch_size, None)) if mask else _operators.ABSENT
    for layer in model.layers:
        if isinstance(layer, IntegerDense):
            values = file.dense(layer, values)
            continue
        if isinstance(layer, IntegerMinAddGRU):
            outputs, state = file.min_add_gru(layer, values, mask=masks)
        else:
            outputs, state = file.add_gru(layer, values, mask=masks)
        values = outputs if layer.return_sequences else state
    file.output("outputs", values)
    return file.content({"ops": "integer", "version": __version__})
