"""Loading torch's shared library ahead of its import."""

import subprocess
import sys

import pytest

from metalab.runs.system import torch_library

LOADS = """
import pathlib, sys
from metalab.runs.system.torch_library import load_torch_library
load_torch_library()
assert "torch" not in sys.modules
print("libtorch_cpu" in pathlib.Path("/proc/self/maps").read_text())
import torch
assert torch.ones(2).sum() == 2
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc/self/maps")
def test_the_library_is_there_before_the_import_and_serves_it():
    done = subprocess.run(
        [sys.executable, "-c", LOADS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    cuda = torch_library.torch_folder() / "libtorch_cuda.so"
    assert done.stdout.strip() == str(not cuda.exists())


@pytest.mark.parametrize("folder", [None, "with cuda", "without libraries"])
def test_elsewhere_it_leaves_everything_to_the_import(monkeypatch, tmp_path, folder):
    if folder == "with cuda":
        (tmp_path / "libtorch_cuda.so").touch()
        (tmp_path / "libtorch_cuda.dylib").touch()
    path = None if folder is None else tmp_path
    monkeypatch.setattr(torch_library, "torch_folder", lambda: path)
    torch_library.load_torch_library()
