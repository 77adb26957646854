"""LiteRT's own interpreter, with the operators of this project."""

import ctypes
import os
import pathlib
from typing import TYPE_CHECKING, Any

from addrnn import _libraries, _validation

if TYPE_CHECKING:
    from ai_edge_litert import interpreter as litert


def Interpreter(
    model_path: str | os.PathLike[str] | None = None,
    model_content: bytes | bytearray | None = None,
    num_threads: int | None = None,
) -> "litert.Interpreter":
    """Makes a stock `ai_edge_litert.interpreter.Interpreter` with our delegate loaded.

    It runs the files of `convert_integer` and of `keras_addrnn.lite.convert`, and any other LiteRT
    file. Without this function, pass the delegate to LiteRT yourself:
    `experimental_delegates=[load_delegate(addrnn.lite.delegate_path())]`.

    Args:
        model_path: Path of a `.tflite` file.
        model_content: The content of one, `bytes`. Exactly one of the two is given.
        num_threads: Positive integer, how many threads an operator may use. None for LiteRT's
            default, which is one.

    Returns:
        An `ai_edge_litert.interpreter.Interpreter`. Where the delegate's library is missing and
        the file needs none, it is one without the delegate.

    Raises:
        ImportError: LiteRT is missing: install keras_addrnn[litert].
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
            raise _validation.value_error(
                "model_path", "be the path of a file that exists", model_path
            )
    elif not isinstance(model_content, (bytes, bytearray)):
        raise _validation.type_error(
            "model_content",
            "be the bytes of a file",
            type(model_content).__name__,
            "Give a path as `model_path`.",
        )
    if num_threads is not None:
        num_threads = _validation.integer("num_threads", num_threads, 1)
    delegates, problem = [], None
    try:
        delegates.append(_delegate(num_threads))
    except RuntimeError as error:
        problem = error
    interpreter = litert.Interpreter(
        model_path=model_path,
        model_content=None if model_content is None else bytes(model_content),
        num_threads=num_threads,
        experimental_delegates=delegates,
    )
    if problem is not None:  # which does not matter to a file of builtin operators
        content = model_content or pathlib.Path(model_path or "").read_bytes()
        if name := _own_operator(content):
            raise RuntimeError(f"The file has an operator {name}. {problem}") from problem
    return interpreter


def delegate_path() -> str:
    """Gives the path of the delegate's library, for `load_delegate` and for other languages.

    Returns:
        A string.

    Raises:
        RuntimeError: The library is missing; says what to do.
    """
    path = _libraries.LITERT_DELEGATE
    if not path.is_file():
        raise RuntimeError(f"The LiteRT delegate is missing ({path}). {_libraries.remedy()}")
    return str(path)


def _litert() -> Any:
    try:
        import ai_edge_litert.interpreter
    except ImportError as error:
        raise ImportError(
            "addrnn.lite.Interpreter needs LiteRT. Run `pip install ai-edge-litert`, or install "
            "keras_addrnn[litert]."
        ) from error
    return ai_edge_litert.interpreter


def _own_operator(content: bytes | bytearray) -> str | None:
    """The name of an operator in the file that the delegate runs, or None."""
    from addrnn.lite import _flatbuffer, _operators

    names = _flatbuffer.custom_operators(_flatbuffer.read(content))
    return next((name for name in names if name in _operators.ALL), None)


def _delegate(num_threads: int | None) -> Any:
    path = delegate_path()
    options = {} if num_threads is None else {"num_threads": num_threads}
    try:
        ctypes.CDLL(path)  # LiteRT's object for a delegate whose library does not load fails twice
        return _litert().load_delegate(path, options)
    except OSError as error:
        raise RuntimeError(
            f"The LiteRT delegate cannot be loaded ({error}). {_libraries.remedy()}"
        ) from error
