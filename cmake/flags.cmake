# Packages, and the flags that every target of the project shares.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
# Makes products and convolutions faster; everything works without it. Version 3 has another interface. (Debian's CMake
# package of oneDNN asks for OpenCL, which is not needed.)
if(EIGENGRAD_ONEDNN)
  find_path(EIGENGRAD_DNNL_INCLUDE oneapi/dnnl/dnnl_version.h)
  find_library(EIGENGRAD_DNNL_LIBRARY dnnl)
  find_package(OpenMP QUIET COMPONENTS CXX)
  if(EIGENGRAD_DNNL_INCLUDE)
    file(STRINGS ${EIGENGRAD_DNNL_INCLUDE}/oneapi/dnnl/dnnl_version.h dnnl_version REGEX "DNNL_VERSION_MAJOR 2")
  endif()
  if(NOT dnnl_version OR NOT EIGENGRAD_DNNL_LIBRARY OR NOT OpenMP_CXX_FOUND)
    message(STATUS "oneDNN 2 is not there (libdnnl-dev): Eigen computes everything")
    set(EIGENGRAD_ONEDNN OFF)
  endif()
endif()

add_library(eigengrad_flags INTERFACE)
target_compile_options(eigengrad_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  # Never -ffast-math: NaN must travel. These two only drop errno and trap bookkeeping.
  -fno-math-errno -fno-trapping-math -fopenmp-simd)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 takes the undefined lanes of its own AVX-512 intrinsics (GCC bug 105593) and the additions of its own strings
  # (105329) for mistakes. What it warns of after inlining depends on the processor that it compiles for: such a warning
  # is shown, but stops no build.
  target_compile_options(eigengrad_flags INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized -Wno-restrict
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  set(after_inlining aggressive-loop-optimizations alloc-size-larger-than= dangling-pointer= format-overflow=
    format-truncation= free-nonheap-object nonnull null-dereference stringop-truncation use-after-free=)
endif()
if(EIGENGRAD_WERROR)
  target_compile_options(eigengrad_flags INTERFACE -Werror)
  foreach(warning IN LISTS after_inlining)
    target_compile_options(eigengrad_flags INTERFACE -Wno-error=${warning})
  endforeach()
endif()
if(EIGENGRAD_NATIVE)
  # gcc 12 takes the tuning of an older processor for a newer one, which costs Eigen a quarter of its speed.
  target_compile_options(eigengrad_flags INTERFACE -march=native -mtune=generic)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12
     AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12.3)
    # These versions copy the constant {2, 2, 0, 0} as {2, 2, 2, 2} where they use registers of 256 bits for it (GCC bug
    # 108599): let them use those of 128.
    target_compile_options(eigengrad_flags INTERFACE -mmove-max=128 -mstore-max=128)
  endif()
endif()
# A build for other machines has its loops compiled for several kinds of processor: see core/multiversion.h.
set(EIGENGRAD_MULTIVERSION OFF)
if(NOT EIGENGRAD_NATIVE AND NOT EIGENGRAD_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"
   AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12 AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(EIGENGRAD_MULTIVERSION ON)
endif()
if(EIGENGRAD_SANITIZE)
  target_compile_options(eigengrad_flags INTERFACE
    -fsanitize=${EIGENGRAD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(eigengrad_flags INTERFACE -fsanitize=${EIGENGRAD_SANITIZE})
endif()
# Where no files of others are read, the sanitizers leave out what takes the compiler two fifths of its time: the address
# sanitizer finds null pointers and the ends of objects too, and x86 does not mind alignment. To be linked after the flags.
add_library(eigengrad_fewer_checks INTERFACE)
if(EIGENGRAD_SANITIZE)
  target_compile_options(eigengrad_fewer_checks INTERFACE -fno-sanitize=null,object-size,alignment)
endif()
# Our own threads are the only ones: Eigen's split depends on their number, and with it the bits of the result.
target_compile_definitions(eigengrad_flags INTERFACE EIGEN_DONT_PARALLELIZE EIGEN_MPL2_ONLY EIGEN_NO_AUTOMATIC_RESIZING)
