"""How many bytes keys and ciphertexts take, from concrete-python's description of a circuit."""

import dataclasses
import json
import math
import zipfile

SPECIFICATION = "client.specs.json"  # in client.zip and in server.zip


@dataclasses.dataclass(frozen=True)
class Sizes:
    """The bytes of the numbers alone, as they are sent: compressed.

    Args:
        keys: Tuple of an integer, of the evaluation keys.
        input: Tuple, of each encrypted input of the circuit.
        output: Tuple, of each encrypted output: one, or one for each step.
    """

    keys: tuple
    input: tuple
    output: tuple

    @classmethod
    def of(cls, specification):
        """From the description, `client.specs.json` as bytes."""
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

    @classmethod
    def load(cls, path):
        """From `client.zip` or `server.zip`, which `Interface.load` has found to be one."""
        with zipfile.ZipFile(path) as archive:
            return cls.of(archive.read(SPECIFICATION))


# A compressed key or ciphertext has a seed in place of each mask, so of a row of numbers only the
# last one (of a polynomial ring: the last polynomial) is there.


def _bootstrap_key(key):
    about = key["params"]
    rows = about["inputLweDimension"] * about["levelCount"] * (about["glweDimension"] + 1)
    polynomials = 1 if key["compression"] == "seed" else about["glweDimension"] + 1
    return rows * polynomials * about["polynomialSize"] * about["integerPrecision"] // 8


def _keyswitch_key(key):
    about = key["params"]
    rows = about["inputLweDimension"] * about["levelCount"]
    numbers = 1 if key["compression"] == "seed" else about["outputLweDimension"] + 1
    return rows * numbers * about["integerPrecision"] // 8


def _ciphertext(value):
    raw = value["rawInfo"]
    return math.prod(raw["shape"]["dimensions"]) * raw["integerPrecision"] // 8
