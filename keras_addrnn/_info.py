"""What this process has of keras_addrnn."""


def info():
    """Tells which implementation this process uses, and why.

    Returns:
        A dict: `version` of keras_addrnn; `keras` and `backend`, the version and backend of Keras;
        `fused`, whether `implementation="auto"` means the fused op; `why_not`, the reason and the
        remedy if it does not; `library`, the path of the op's library; and, None where it is not
        loaded, `built_for`, `instruction_set`, `available_instruction_sets` and `threads`.

    Example:

    >>> keras_addrnn.info()["fused"]
    True
    """
    import keras

    import keras_addrnn
    from addrnn.tensorflow import _library
    from keras_addrnn.ops import _fused

    why_not = _fused.missing()
    found = {
        "version": keras_addrnn.__version__,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "fused": why_not is None,
        "why_not": why_not,
        "library": str(_library.LIBRARY) if _library.LIBRARY.is_file() else None,
        "built_for": None,
        "instruction_set": None,
        "available_instruction_sets": None,
        "threads": None,
    }
    if keras.backend.backend() == "tensorflow" and _library.load().settings is not None:
        loaded = _library.load()
        found["built_for"] = loaded.text("built_for")
        found["instruction_set"] = loaded.text("instruction_set")
        found["available_instruction_sets"] = loaded.text("available_instruction_sets").split()
        found["threads"] = _library.num_threads()
    return found
