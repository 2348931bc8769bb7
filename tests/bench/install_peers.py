"""`make bench-peers`: the libraries to compare with, in an environment of their own.

Each is optional: what cannot be installed is named and left out of the table.
"""

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-peers"
PYTHON = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

BASE = ["torch==2.13.0", "numpy==2.4.6"]
PEERS = {
    "jax": ["jax==0.10.2", "optax==0.2.8"],
    "higher": ["higher==0.2.1"],
    "torchopt": ["torchopt==0.7.3"],
}
LEARN2LEARN = "learn2learn==0.2.0"
LEARN2LEARN_TOOLS = ["setuptools==65.5.1", "wheel", "cython"]
"""Older tools: what learn2learn needs names its own needs in a way newer ones refuse."""

LEARN2LEARN_NEEDS = [
    ["scipy", "requests", "tqdm"],
    ["--no-build-isolation", "gym==0.26.2"],
    ["--no-build-isolation", "--no-deps", "qpth"],
]


def pip(*arguments: str, cwd: Path | None = None) -> bool:
    """Run pip in the peers' environment; return whether it went well."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", *arguments]
    return subprocess.run(command, cwd=cwd, check=False).returncode == 0


def install_learn2learn() -> bool:
    """Build learn2learn from its sources.

    Its archive ships C files of an old Cython, which no longer compile; without them
    they are made anew.
    """
    if not pip(*LEARN2LEARN_TOOLS):
        return False
    if not all(pip(*BASE[:1], *needs) for needs in LEARN2LEARN_NEEDS):
        return False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        download = [str(PYTHON), "-m", "pip", "download", "--quiet", "--no-deps"]
        download += ["--no-build-isolation", "--no-binary", ":all:", LEARN2LEARN]
        if subprocess.run(download, cwd=folder, check=False).returncode != 0:
            return False
        (archive,) = folder.glob("learn2learn-*.tar.gz")
        shutil.unpack_archive(archive, folder, filter="data")
        source = next(path for path in folder.iterdir() if path.is_dir())
        for stale in source.glob("learn2learn/data/*.c"):
            stale.unlink()
        shutil.rmtree(source / ".eggs", ignore_errors=True)
        build = [str(PYTHON), "setup.py", "--quiet", "build_ext", "bdist_wheel"]
        if subprocess.run(build, cwd=source, check=False).returncode != 0:
            return False
        (wheel,) = source.glob("dist/*.whl")
        return pip("--no-deps", str(wheel))


def main() -> None:
    if not PYTHON.exists():
        venv.create(FOLDER, with_pip=True)
    if not pip(*BASE):
        sys.exit("torch cannot be installed: no peer can be compared with")
    results = {name: pip(*BASE, *wanted) for name, wanted in PEERS.items()}
    results["learn2learn"] = install_learn2learn()
    for name, well in results.items():
        print(f"{name}: {'installed' if well else 'cannot be installed, left out'}")


if __name__ == "__main__":
    main()
