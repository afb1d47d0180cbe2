# cmake --install: the program, the libraries with their headers, and a CMake package (find_package(bitgrid), targets bitgrid::ir,
# bitgrid::lowering, ..). Headers keep their folders, so that code includes "ir/dag.h" inside and outside of this repository.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The static libraries of a folder and of the folders below it.
function(libraries_of folder result)
  set(found "")
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      list(APPEND found ${target})
    endif()
  endforeach()
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(other IN LISTS below)
    libraries_of(${other} more)
    list(APPEND found ${more})
  endforeach()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

set(installed_libraries "")
foreach(folder IN ITEMS ir frontend reference_cpu lowering bitgrid_sim rtl check report)
  libraries_of(${PROJECT_SOURCE_DIR}/${folder} libraries)
  list(APPEND installed_libraries ${libraries})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bitgrid FILES_MATCHING PATTERN "*.h")
endforeach()
foreach(library IN LISTS installed_libraries)  # bitgrid_ir -> bitgrid::ir
  string(REPLACE "bitgrid_" "" exported ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${exported})
endforeach()
set_target_properties(bitgrid_flags PROPERTIES EXPORT_NAME flags)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/bitgrid)
install(TARGETS bitgrid_flags ${installed_libraries} EXPORT bitgrid ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS bitgrid RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/arch DESTINATION ${CMAKE_INSTALL_DATADIR}/bitgrid FILES_MATCHING PATTERN "*.yaml")
install(EXPORT bitgrid FILE bitgridTargets.cmake NAMESPACE bitgrid:: DESTINATION ${package_folder})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/bitgridConfig.cmake.in ${PROJECT_BINARY_DIR}/bitgridConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/bitgridConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/bitgridConfig.cmake ${PROJECT_BINARY_DIR}/bitgridConfigVersion.cmake DESTINATION ${package_folder})
