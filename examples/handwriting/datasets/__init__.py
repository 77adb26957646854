"""Datasets of word images with one interface, as builders of tensorflow-datasets.

| builder | what it holds |
|---|---|
| `iam_words` | the IAM Handwriting Database, which everybody downloads for themselves |
| `mnist_words` | numbers of 1 to 8 digits, composed of MNIST's, which many people wrote |
| `font_words` | English words in fonts that look like handwriting, distorted; nobody wrote them |
"""
