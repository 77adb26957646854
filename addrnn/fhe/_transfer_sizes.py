"""The sizes of evaluation keys and ciphertexts, from concrete-python's description of a circuit."""

import dataclasses
import json
import math
from typing import Any


@dataclasses.dataclass(frozen=True)
class TransferSizes:
    """The bytes of the numbers in each message, compressed as they are sent.

    Args:
        keys: Tuple of one integer, for the evaluation keys.
        input: Tuple, for each encrypted input of the circuit.
        output: Tuple, for each encrypted output: one, or one for each step.
    """

    keys: tuple[int, ...]
    input: tuple[int, ...]
    output: tuple[int, ...]

    @classmethod
    def from_specification(cls, specification: bytes) -> "TransferSizes":
        """Reads the contents of `client.specs.json`."""
        about = json.loads(specification)
        keys, (circuit,) = about["keyset"], about["circuits"]
        return cls(
            keys=(
                sum(_bootstrap_key(key) for key in keys["lweBootstrapKeys"])
                + sum(_keyswitch_key(key) for key in keys["lweKeyswitchKeys"]),
            ),
            input=tuple(_ciphertext(value) for value in circuit["inputs"]),
            output=tuple(_ciphertext(value) for value in circuit["outputs"]),
        )


# In a compressed key or ciphertext a seed replaces each mask. So of each row of numbers only the
# last one is sent, or of a polynomial ring the last polynomial.


def _bootstrap_key(key: dict[str, Any]) -> int:
    about = key["params"]
    rows = about["inputLweDimension"] * about["levelCount"] * (about["glweDimension"] + 1)
    polynomials = 1 if key["compression"] == "seed" else about["glweDimension"] + 1
    return int(rows * polynomials * about["polynomialSize"] * about["integerPrecision"] // 8)


def _keyswitch_key(key: dict[str, Any]) -> int:
    about = key["params"]
    rows = about["inputLweDimension"] * about["levelCount"]
    numbers = 1 if key["compression"] == "seed" else about["outputLweDimension"] + 1
    return int(rows * numbers * about["integerPrecision"] // 8)


def _ciphertext(value: dict[str, Any]) -> int:
    raw = value["rawInfo"]
    return int(math.prod(raw["shape"]["dimensions"]) * raw["integerPrecision"] // 8)
