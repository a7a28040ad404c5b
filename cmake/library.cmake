include(GNUInstallDirs)

# eigengrad_library(NAME DEPENDS ...): one static library per folder, made of every .cc file below it.
# A dependency that is a folder's name stands for that folder's library; HEADERS are those of which only headers are used,
# so that a program that links the library does not need them.
function(eigengrad_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;HEADERS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.cc)
  set(target eigengrad_${name})
  add_library(${target} STATIC ${sources})
  add_library(eigengrad::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:eigengrad_flags>)
  if(EIGENGRAD_MULTIVERSION)
    target_compile_definitions(${target} PRIVATE EIGENGRAD_MULTIVERSION)
  endif()
  # The library's own sources are known by that name, so that core/arg.h can tell a call of the user's from one of theirs.
  target_compile_options(${target} PRIVATE -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=eigengrad:)
  foreach(dependency IN LISTS ARG_DEPENDS)
    if(TARGET eigengrad_${dependency})
      target_link_libraries(${target} PUBLIC eigengrad_${dependency})
    else()
      target_link_libraries(${target} PRIVATE ${dependency})
    endif()
  endforeach()
  foreach(dependency IN LISTS ARG_HEADERS)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:${dependency}>)
  endforeach()
endfunction()
