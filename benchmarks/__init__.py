"""What is measured of this project: `python -m benchmarks.NAME`, see README.md."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
