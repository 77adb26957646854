"""LiteRT's interpreter with the `AddGru` operator. Imports neither Keras nor TensorFlow."""

import ctypes
import operator
import os
import pathlib

from addrnn import _libraries


def Interpreter(model_path=None, model_content=None, num_threads=None):
    """Makes an `ai_edge_litert.interpreter.Interpreter` that knows the operators of this project.

    Runs what `keras_addrnn.lite.convert` writes, in either form, and any other LiteRT file. It is
    the stock interpreter, given our delegate: by itself it runs a fused file with
    `experimental_delegates=[load_delegate(addrnn.lite.delegate_path())]`.

    Args:
        model_path: Path of a `.tflite` file.
        model_content: The content of one, `bytes`. Exactly one of the two is given.
        num_threads: Positive integer, how many threads an operator may use. None for LiteRT's
            default, which is one.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument has a value that is not allowed, or the file is not one of LiteRT.
        RuntimeError: The file cannot be run, or needs the delegate where its library is missing;
            `allocate_tensors` raises it too, and says why.

    Example:

    >>> interpreter = addrnn.lite.Interpreter("model.tflite")
    >>> interpreter.get_signature_runner()(rows=digits)
    {'dense': array([[...]], dtype=float32)}
    """
    litert = _litert()
    if (model_path is None) == (model_content is None):
        raise ValueError(
            "Exactly one of the arguments `model_path` and `model_content` must be given. "
            f"Received: {'neither' if model_path is None else 'both'}"
        )
    if model_path is not None:
        model_path = os.fspath(model_path)
        if not os.path.isfile(model_path):
            raise ValueError(
                f"Argument `model_path` must be that of a file. Received: {model_path}"
            )
    elif not isinstance(model_content, (bytes, bytearray)):
        raise TypeError(
            "Argument `model_content` must be the bytes of a file. Received: "
            f"{type(model_content).__name__}"
        )
    num_threads = _checked_num_threads(num_threads)
    try:
        delegates, problem = [_delegate(num_threads)], None
    except RuntimeError as error:
        delegates, problem = [], error
    interpreter = litert.Interpreter(
        model_path=model_path,
        model_content=None if model_content is None else bytes(model_content),
        num_threads=num_threads,
        experimental_delegates=delegates,
    )
    if problem is not None:  # which does not matter to a file of builtin operators
        content = model_content or pathlib.Path(model_path).read_bytes()
        if name := _operator_of_ours(content):
            raise RuntimeError(f"The file has an operator {name}. {problem}") from problem
    return interpreter


def delegate_path():
    """The path of the delegate's library, for `load_delegate` and for other languages.

    Raises:
        RuntimeError: It is not there; says what to do.
    """
    path = _libraries.LITERT_DELEGATE
    if not path.is_file():
        raise RuntimeError(f"The LiteRT delegate is missing ({path}). {_libraries.remedy()}")
    return str(path)


def _litert():
    try:
        import ai_edge_litert.interpreter
    except ImportError as error:
        raise ImportError(
            "addrnn.lite.Interpreter needs LiteRT. Run `pip install ai-edge-litert`, or install "
            "keras_addrnn[litert]."
        ) from error
    return ai_edge_litert.interpreter


def _operator_of_ours(content):
    """The name of an operator in the file that the delegate runs, or None."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(content, 0)
    for index in range(model.OperatorCodesLength()):
        name = model.OperatorCodes(index).CustomCode() or b""
        if name.startswith(b"AddGru"):
            return name.decode()
    return None


def _checked_num_threads(num_threads):
    if num_threads is None:
        return None
    try:
        threads = operator.index(num_threads)
    except TypeError:
        threads = None
    if threads is None or isinstance(num_threads, bool):
        raise TypeError(
            f"Argument `num_threads` must be an integer. Received: num_threads={num_threads!r}"
        )
    if threads < 1:
        raise ValueError(
            f"Argument `num_threads` must be positive. Received: num_threads={threads}"
        )
    return threads


def _delegate(num_threads):
    path = delegate_path()
    options = {} if num_threads is None else {"num_threads": num_threads}
    try:
        ctypes.CDLL(path)  # LiteRT's object for a delegate whose library does not load fails twice
        return _litert().load_delegate(path, options)
    except OSError as error:
        raise RuntimeError(
            f"The LiteRT delegate cannot be loaded ({error}). {_libraries.remedy()}"
        ) from error
