"""What is measured of this project: `python -m benchmarks.NAME`, see README.md."""
