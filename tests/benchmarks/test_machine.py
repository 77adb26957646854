"""The folders that keep the times of different processors apart."""

import pytest

from benchmarks._harness import machine


@pytest.mark.parametrize(
    ("name", "flags", "folder"),
    [
        ("Intel(R) Xeon(R) Processor @ 2.80GHz", "avx2 avx512f", "intel_xeon_2.80ghz"),
        ("AMD EPYC", "sse2 avx2 avx512f", "amd_epyc_avx512"),
        ("AMD EPYC", "sse2 avx2", "amd_epyc_avx2"),
        ("AMD EPYC", "sse2 avx2 avx_vnni avx512f", "amd_epyc_zen5"),
        ("Intel Xeon", "avx2 avx_vnni avx512f", "intel_xeon_avx512"),
        ("Some CPU", "", "some"),
    ],
)
def test_a_processor_has_a_folder(monkeypatch, name, flags, folder):
    monkeypatch.setattr(machine, "_cpuinfo", {"model name": name, "flags": flags}.get)
    assert machine.folder() == machine.RESULTS / folder
