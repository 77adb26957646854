"""The machine: its threads, its name, and the folder of its results."""

import datetime
import importlib.metadata
import os
import pathlib
import platform
import re

RESULTS = pathlib.Path(__file__).parents[1] / "results"


def use_threads(count):
    """For a whole process. With one, its processor seconds are the same on a busy machine."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def processor():
    """The processor's name, as the operating system gives it."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpuinfo(field):
    """What Linux tells of the first processor; nothing elsewhere."""
    try:
        with open("/proc/cpuinfo") as file:
            found = [line.split(":")[1].strip() for line in file if line.startswith(field)]
    except OSError:
        found = []
    return found[0] if found else ""


def folder():
    """Where the times of this processor are kept.

    "Intel(R) Xeon(R) Processor @ 2.80GHz" has its own in `results/intel_xeon_2.80ghz`. A name
    without a number stands for many processors, so the generation is put to it, or the width of
    their vectors.
    """
    words = re.sub(r"\((r|tm)\)|\b(processor|cpu)\b", " ", processor().lower())
    name = "_".join(re.findall(r"[a-z0-9.-]+", words))
    if not re.search(r"[0-9]", name):
        flags = _cpuinfo("flags").split()
        # The first flag that a processor has names it; AMD's Zen 5 is the first of AMD's with vnni.
        kinds = {"avx512": "avx512f", "avx2": "avx2"}
        if "amd" in name:
            kinds = {"zen5": "avx_vnni", **kinds}
        name = "_".join([name, *[word for word, flag in kinds.items() if flag in flags][:1]])
    return RESULTS / name


def description(*packages):
    """Date, machine and versions, for the line above a table."""
    import keras
    import tensorflow as tf

    import keras_addrnn as ka

    info = ka.info()
    versions = [f"{title} {importlib.metadata.version(name)}" for title, name in packages]
    ours = f"keras_addrnn {info['version']} ({info['instruction_set'] or 'composed'})"
    fixed = (str(datetime.date.today()), processor(), f"TensorFlow {tf.__version__}")
    return ", ".join([*fixed, f"Keras {keras.__version__}", ours, *versions])


def encryption_conditions():
    """The same where no TensorFlow is, for the records of encrypted runs."""
    return {
        "conditions": {
            "date": str(datetime.date.today()),
            "processor": processor(),
            "processors": len(os.sched_getaffinity(0)),
            "concrete-python": importlib.metadata.version("concrete-python"),
            "load": os.getloadavg()[0],
        }
    }
