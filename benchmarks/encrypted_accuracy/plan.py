"""The networks, and where they are kept."""

from itertools import product

from benchmarks._harness import machine

TRAINED = machine.RESULTS / "encrypted_accuracy"
SEEDS = {"digits": (1, 2, 3), "MNIST": (1, 2, 3), "vowels": (1, 2, 3)}
# Steps, bits of the sums, units.
SIZES = {
    "MinAddGRU": [*product((2,), (5, 6), (8, 12, 16, 24)), (4, 6, 16), (4, 6, 24)],
    "minGRU": [*product((2,), (5, 6), (8, 12, 16, 24)), (4, 6, 16), (4, 6, 24)],
    "minGRU, coarse": [*product((2,), (6,), (8, 12, 16, 24)), (4, 6, 16)],
    "AddGRU": [(2, 6, 8), (2, 6, 16)],
    "GRU": [(2, 6, 8), (2, 6, 16)],
}
MNIST_SIZES = {
    "MinAddGRU": [(2, 6, 64), (2, 6, 96), (2, 6, 128)],
    "minGRU": [(2, 6, 64), (2, 6, 96), (2, 6, 128)],
    "minGRU, coarse": [(2, 6, 64), (2, 6, 128)],
}
# Two that read equally many digits, and the one that reads most. All together would take hours.
MNIST_ENCRYPTED = {("MinAddGRU", 64), ("minGRU", 96), ("MinAddGRU", 128)}
VOWEL_SIZES = {"MinAddGRU": [(29, 5, 16), (29, 6, 16)]}  # at most as many steps
READING_STATES = {"AddGRU", "GRU"}  # the gates whose sums do
TASKS = (("digits", SIZES), ("MNIST", MNIST_SIZES), ("vowels", VOWEL_SIZES))


def networks():
    for task, sizes in TASKS:
        for gate, chosen in sizes.items():
            for steps, bits, units in chosen:
                yield {"task": task, "gate": gate, "steps": steps, "bits": bits, "units": units}


def is_encrypted(settings):
    """Whether a network is run encrypted."""
    return settings["task"] != "MNIST" or (settings["gate"], settings["units"]) in MNIST_ENCRYPTED


def is_trained(settings):
    """Whether all files of a network are there."""
    return all(path.is_file() for path in paths_of(settings))


def paths_of(settings):
    """The files of its seeds."""
    return [path_of({**settings, "seed": seed}) for seed in SEEDS[settings["task"]]]


def path_of(settings):
    name = "{task}_{gate}_{steps}_{bits}_{units}_{seed}.safetensors".format(**settings)
    return TRAINED / name.lower().replace(", ", "_")
