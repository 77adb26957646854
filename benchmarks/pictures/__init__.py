"""The drawings and the charts of README and docs/, in docs/images.

    python -m benchmarks.pictures          # or: make pictures

The charts show what is recorded in benchmarks/results, and nothing is measured here.
"""
