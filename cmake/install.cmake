# cmake --install: headers, libraries, the command, and a package for find_package(eigengrad).
include(CMakePackageConfigHelpers)

set(EIGENGRAD_FOLDERS core ops autograd config nn optim data io train)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/eigengrad)

# Headers for .cc files of the library (they include fmt, or are kernels) stay behind.
foreach(folder IN LISTS EIGENGRAD_FOLDERS)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/eigengrad/${folder}
    FILES_MATCHING PATTERN "*.h" PATTERN "kernels" EXCLUDE PATTERN "check.h" EXCLUDE PATTERN "dispatch.h" EXCLUDE
    PATTERN "nn/rows.h" EXCLUDE PATTERN "optim/describe.h" EXCLUDE PATTERN "optim/update.h" EXCLUDE)
  list(APPEND libraries eigengrad_${folder})
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/include/eigengrad/eigengrad.h ${PROJECT_SOURCE_DIR}/include/eigengrad/eigen.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/eigengrad)

install(TARGETS eigengrad ${libraries} EXPORT eigengrad-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(EIGENGRAD_TOOLS)
  install(TARGETS eigengrad_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(EXPORT eigengrad-targets NAMESPACE eigengrad:: DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/eigengrad-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(${PROJECT_SOURCE_DIR}/cmake/eigengrad-config.cmake ${PROJECT_BINARY_DIR}/eigengrad-config.cmake @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/eigengrad-config.cmake ${PROJECT_BINARY_DIR}/eigengrad-config-version.cmake
  DESTINATION ${package_dir})
