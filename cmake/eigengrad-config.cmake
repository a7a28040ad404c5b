# find_package(eigengrad) gives the target eigengrad::eigengrad.
include(CMakeFindDependencyMacro)
find_dependency(fmt)
find_dependency(spdlog)
find_dependency(Threads)
find_dependency(ZLIB)
find_dependency(PNG)
include(${CMAKE_CURRENT_LIST_DIR}/eigengrad-targets.cmake)
