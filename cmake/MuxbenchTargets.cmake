# How targets are made here: the same warnings everywhere, and an include path per library, so that a header can be
# included only by targets that link the library it belongs to.

set(MUXBENCH_SANITIZE "" CACHE STRING "Sanitizers for every target, for example address,undefined or thread")

add_library(muxbench_compile_options INTERFACE)
target_compile_options(muxbench_compile_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-missing-field-initializers)
if(MUXBENCH_SANITIZE)
  # Without vptr: it looks at an object through a pipe, so out of descriptors, which the tests try, it calls every object bad.
  target_compile_options(muxbench_compile_options INTERFACE
    -fsanitize=${MUXBENCH_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(muxbench_compile_options INTERFACE -fsanitize=${MUXBENCH_SANITIZE})
endif()

# What is not timed is compiled for a short build. muxbench_untimed(TARGET): the whole target, as one unit, since most of its time
# goes into reading the same headers. muxbench_cold_sources(FILE...): single files of a target that is timed, such as those that
# read options.
function(muxbench_untimed target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()
function(muxbench_cold_sources)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O0>)
endfunction()

# muxbench_add_library(protocol SOURCES a.cpp b.cpp LINK muxbench::base)
# Headers in this folder become includable as "protocol/x.h" for this target and those that link it, and for no others.
function(muxbench_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  set(root ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
  if(ARG_SOURCES)
    add_library(muxbench_${name} STATIC ${ARG_SOURCES})
    target_include_directories(muxbench_${name} PUBLIC ${root})
    target_link_libraries(muxbench_${name} PUBLIC muxbench_compile_options ${ARG_LINK})
  else()
    add_library(muxbench_${name} INTERFACE)
    target_include_directories(muxbench_${name} INTERFACE ${root})
    target_link_libraries(muxbench_${name} INTERFACE muxbench_compile_options ${ARG_LINK})
  endif()
  add_library(muxbench::${name} ALIAS muxbench_${name})
endfunction()
