"""What all benchmarks share: plan, run, record, resume, report, plot."""
