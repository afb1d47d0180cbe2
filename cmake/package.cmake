# cpack -G DEB: a package of what cmake --install installs, with the Python module if it was built. scripts/check-package builds and tries it.
include(${CMAKE_CURRENT_LIST_DIR}/git_version.cmake)
git_version(${PROJECT_SOURCE_DIR} ${PROJECT_VERSION} package_version)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bitgrid)
set(CPACK_PACKAGE_VERSION ${package_version})
set(CPACK_PACKAGE_CONTACT "The bitgrid developers <bitgrid@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compiler and simulator for 1-bit networks on grids of LUT cells")
set(CPACK_PACKAGE_DESCRIPTION "bitgrid compiles 1-bit transformers, quantised ONNX networks and any acyclic logic onto a grid of LUT cells
 that talk only to their neighbours, simulates the grid, writes Verilog, and compares every result bit for bit with a reference engine.
 The package has the program, its libraries with headers and a CMake package.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION electronics)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # libraries that the program needs, by dpkg-shlibdeps
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "verilator, g++, python3-numpy")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
  "yosys, berkeley-abc, nextpnr-ice40, cmake, libboost-dev, libfmt-dev, libyaml-cpp-dev, nlohmann-json3-dev")
include(CPack)
