"""The networks, where they are kept, and the forms of their gates."""

from itertools import product

from benchmarks._harness import machine

TRAINED = machine.RESULTS / "encrypted_accuracy"
SIZES = ((8, 5), (12, 5), (16, 5), (8, 6), (12, 6), (16, 6))  # units, bits of the sums
GATES = {"add": ("add",), "multiply": ("mul, 4 PBS", "mul, 6 PBS")}
SEED = 1


def networks():
    for (units, bits), gate in product(SIZES, GATES):
        yield {"gate": gate, "units": units, "bits": bits, "seed": SEED}


def forms():
    for network in networks():
        for form in GATES[network["gate"]]:
            yield {**network, "form": form}


def path_of(settings):
    return TRAINED / "{gate}_{units}_{bits}_{seed}.safetensors".format(**settings)
