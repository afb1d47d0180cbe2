# The platform, included by bitgrid_sim/CMakeLists.txt. Without SystemC everything but the simulation itself is built, and the engine says which
# package is missing. SystemC's library has a main() of its own: what brings an executable's main() (gtest_main) is linked directly, so that it
# comes first.
option(BITGRID_SYSTEMC "Simulation of the platform (engine systemc), where SystemC is installed" ON)
if(BITGRID_SYSTEMC)
  find_path(SYSTEMC_INCLUDE systemc)
  find_library(SYSTEMC_LIBRARY systemc)
  if(NOT SYSTEMC_INCLUDE OR NOT SYSTEMC_LIBRARY)
    message(STATUS "SystemC not found (Debian: libsystemc-dev): no simulation of the platform")
    set(BITGRID_SYSTEMC OFF)
  endif()
endif()

set(platform_sources memory_map.cc platform.cc platform_report.cc residency.cc timeline.cc)
if(BITGRID_SYSTEMC)
  list(APPEND platform_sources configuration.cc memories.cc sequencer.cc system.cc tile.cc)
else()
  list(APPEND platform_sources no_systemc.cc)
endif()
list(TRANSFORM platform_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
add_library(bitgrid_systemc STATIC ${platform_sources})
target_link_libraries(bitgrid_systemc PUBLIC bitgrid_flags bitgrid_sim bitgrid_ir nlohmann_json::nlohmann_json fmt::fmt)
if(BITGRID_SYSTEMC)
  # Debian's library is built for C++17, and names its interface after the standard.
  target_compile_definitions(bitgrid_systemc PRIVATE SC_CPLUSPLUS=201703L)
  target_include_directories(bitgrid_systemc SYSTEM PRIVATE ${SYSTEMC_INCLUDE})
  target_link_libraries(bitgrid_systemc PRIVATE ${SYSTEMC_LIBRARY})
  # Whatever links the shared library, even without using the platform, must have the sc_main that it wants; our archive's is taken if asked for.
  target_link_options(bitgrid_systemc INTERFACE -Wl,--undefined=sc_main)
endif()
