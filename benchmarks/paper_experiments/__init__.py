"""The claims of the paper (arXiv 2308.05629), each with runs that test it."""
