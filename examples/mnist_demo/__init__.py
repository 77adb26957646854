"""MNIST by rows: networks trained, compared, converted for LiteRT, and run in integers."""
