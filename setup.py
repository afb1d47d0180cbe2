"""pip's way to the module that CMake builds: for the Python that runs this, in build/pip."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parent


class CMakeBuild(build_ext):
    def build_extension(self, ext):
        folder = ROOT / "build" / "pip"
        configure = ["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBITGRID_UNITY=ON",
                     f"-DPython3_EXECUTABLE={sys.executable}"]
        environment = dict(os.environ, CCACHE_BASEDIR=str(ROOT), CCACHE_NOHASHDIR="1")
        if shutil.which("ccache"):
            configure.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        told = subprocess.run(configure, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        without = re.search("Python module: not built.*", told.stdout)
        if told.returncode != 0 or without:
            raise SystemExit(f"bitgrid: {without[0]}" if without else told.stdout)
        subprocess.run(["cmake", "--build", folder, "--target", "bitgrid_python"], env=environment, check=True)
        target = pathlib.Path(self.get_ext_fullpath(ext.name)).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        for file in (folder / "python").glob("bitgrid*"):
            if file.suffix in (".so", ".pyi"):
                shutil.copy(file, target.parent / file.name)


setup(
    version=re.search(r"project\(bitgrid VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1],
    packages=[],
    py_modules=[],
    ext_modules=[Extension("bitgrid", sources=[])],
    cmdclass={"build_ext": CMakeBuild},
)
