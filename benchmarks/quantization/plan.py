"""The runs: each layer of each task, quantized to each width."""

from itertools import product

LAYERS = ("AddGRU", "baseline", "GRU")
FLOAT = (32, 32)
# Weights and state of the same few bits; and few bits of the weights alone.
WIDTHS = {
    "weights and state": [(8, 16), (6, 6), (5, 5), (4, 4), (3, 3), (2, 2)],
    "weights only": [(6, 16), (5, 16), (4, 16), (3, 16), (2, 16)],
}
SIZES = {
    "mnist": {"digits": 20_000, "units": 64, "float_epochs": 5, "aware_epochs": 2},
    "adding": {"T": 50, "units": 64, "float_epochs": 8, "aware_epochs": 2},
}


def plan():
    widths = [FLOAT, *sum(WIDTHS.values(), [])]
    for task, seed, layer, (weight_bits, state_bits) in product(SIZES, range(3), LAYERS, widths):
        run = {"task": task, **SIZES[task], "layer": layer, "seed": seed}
        yield {**run, "weight_bits": weight_bits, "state_bits": state_bits}
