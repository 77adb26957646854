"""The runs: each layer of each task, quantized to each width."""

LAYERS = ("AddGRU", "baseline", "GRU")
FLOAT = (32, 32)
# Weights and state of the same few bits; and few bits of the weights alone.
WIDTHS = {
    "weights and state": [(8, 16), (6, 6), (5, 5), (4, 4), (3, 3), (2, 2)],
    "weights only": [(6, 16), (5, 16), (4, 16), (3, 16), (2, 16)],
}
SIZES = {"mnist": {"digits": 20_000, "units": 64}, "adding": {"T": 50, "units": 64}}
EPOCHS = {
    "mnist": {"float_epochs": 5, "aware_epochs": 2},
    "adding": {"float_epochs": 8, "aware_epochs": 2},
}


def plan():
    for task, sizes in SIZES.items():
        for seed in range(3):
            for layer in LAYERS:
                for weight_bits, state_bits in [FLOAT, *sum(WIDTHS.values(), [])]:
                    yield {
                        **{"task": task, **sizes, **EPOCHS[task], "layer": layer, "seed": seed},
                        **{"weight_bits": weight_bits, "state_bits": state_bits},
                    }
