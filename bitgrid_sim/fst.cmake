# FST waveforms: GTKWave's reader and writer (MIT), whose sources come with Verilator, compiled as Verilator compiles them. Optional.
find_path(BITGRID_FSTAPI fstapi.c PATHS $ENV{VERILATOR_ROOT}/include/gtkwave /usr/share/verilator/include/gtkwave /usr/local/share/verilator/include/gtkwave
  NO_DEFAULT_PATH)
find_package(ZLIB QUIET)
if(BITGRID_FSTAPI AND ZLIB_FOUND)
  set(fst_sources ${BITGRID_FSTAPI}/fstapi.c ${BITGRID_FSTAPI}/lz4.c ${BITGRID_FSTAPI}/fastlz.c)
  set_source_files_properties(${fst_sources} PROPERTIES LANGUAGE CXX)
  # Its files are in memory: fst_memory.h.
  set_source_files_properties(${BITGRID_FSTAPI}/fstapi.c PROPERTIES COMPILE_DEFINITIONS BITGRID_FST_IN_MEMORY
    COMPILE_OPTIONS "-include;${CMAKE_CURRENT_LIST_DIR}/fst_memory.h" OBJECT_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/fst_memory.h)
  add_library(bitgrid_fstapi STATIC ${fst_sources})
  target_include_directories(bitgrid_fstapi SYSTEM PUBLIC ${BITGRID_FSTAPI})
  target_compile_definitions(bitgrid_fstapi PRIVATE FST_CONFIG_INCLUDE="fst_config.h")
  target_compile_options(bitgrid_fstapi PRIVATE -w -O2)
  target_link_libraries(bitgrid_fstapi PUBLIC ZLIB::ZLIB Threads::Threads)
  target_compile_definitions(bitgrid_sim PRIVATE BITGRID_FST)
  target_link_libraries(bitgrid_sim PRIVATE bitgrid_fstapi)
endif()
