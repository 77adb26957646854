"""Registers the compiled core's handlers with XLA, once per process, at their first use."""

import functools

import jax

from addrnn import _compiled_core, _libraries
from addrnn._compiled_core import description as description


@functools.cache
def _why_not_registered() -> str | None:
    """Registers the handlers at the first call; the reason and the remedy where that fails.

    Raises:
        ValueError: The environment variable `KERAS_ADDRNN_ISA` names an instruction set that is not
            compiled in, or that this machine cannot run.
    """
    if reason := _compiled_core.problem():
        return reason
    core = _compiled_core.load()
    _libraries.check_instruction_set(core.available_instruction_sets().split())
    try:
        for target, handler in core.xla_handlers.items():
            jax.ffi.register_ffi_target(target, handler, platform="cpu")
    except Exception as error:  # jaxlib has an exception of its own for each kind of failure
        return f"JAX {jax.__version__} refuses its handlers ({error}). Use JAX 0.8 to 0.10."
    return None


def problem() -> str | None:
    """Why no call can run: the reason and the remedy in a sentence or two; None if calls can."""
    if reason := _why_not_registered():
        return reason
    if (platform := jax.default_backend()) != "cpu":
        return (
            f"JAX runs on {platform}, and the op runs on CPUs only. "
            "Set the environment variable JAX_PLATFORMS to cpu."
        )
    return None


def check_usable() -> None:
    """Registers the handlers at the first call.

    Raises:
        RuntimeError: No call can run; says why and what to do.
        ValueError: As of `_why_not_registered`.
    """
    if reason := problem():
        raise RuntimeError(f"The op cannot be used: {reason}")
