# The fuzzers: libFuzzer, which comes with clang's runtime libraries, on what g++ has built under the sanitizers.
file(GLOB runtimes /usr/lib/llvm-*/lib/clang/*/lib/linux)
find_library(EIGENGRAD_LIBFUZZER clang_rt.fuzzer-${CMAKE_SYSTEM_PROCESSOR} HINTS ${runtimes})
if(NOT EIGENGRAD_LIBFUZZER OR NOT EIGENGRAD_SANITIZE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "The fuzzers need libFuzzer (libclang-rt-dev), g++, and EIGENGRAD_SANITIZE: see the preset fuzz")
endif()

# In the folders with readers, and what they stand on, every edge and every comparison is told. Programs that do not
# fuzz link functions that pay no heed.
add_library(fuzz_unheard STATIC unheard.cc)
target_link_libraries(eigengrad_core INTERFACE $<BUILD_INTERFACE:fuzz_unheard>)
foreach(target eigengrad_core eigengrad_config eigengrad_data eigengrad_io eigengrad_optim eigengrad_train fuzz_readers)
  target_compile_options(${target} PRIVATE -fsanitize-coverage=trace-pc,trace-cmp)
endforeach()

# One program, and a name for each reader, of which there is a folder of seeds.
add_library(fuzz_coverage OBJECT coverage.cc)
add_executable(fuzz fuzz.cc)
set_target_properties(fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin/fuzz)
target_include_directories(fuzz PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(fuzz PRIVATE fuzz_readers fuzz_coverage eigengrad_flags ZLIB::ZLIB ${EIGENGRAD_LIBFUZZER})
target_link_options(fuzz PRIVATE -Wl,--wrap=__sanitizer_cov_trace_pc)
file(GLOB readers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/seeds CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/seeds/*)
foreach(reader IN LISTS readers)
  add_custom_command(TARGET fuzz POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E create_symlink fuzz ${PROJECT_BINARY_DIR}/bin/fuzz/fuzz_${reader})
endforeach()
