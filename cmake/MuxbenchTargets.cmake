# How targets are made here: the same warnings everywhere, and an include path per library, so that a header can be
# included only by targets that link the library it belongs to.

set(MUXBENCH_SANITIZE "" CACHE STRING "Sanitizers for every target, for example address,undefined or thread")

add_library(muxbench_options INTERFACE)
target_compile_options(muxbench_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-missing-field-initializers)
if(MUXBENCH_SANITIZE)
  # Without vptr: it looks at an object through a pipe, so out of descriptors, which the tests try, it calls every object bad.
  target_compile_options(muxbench_options INTERFACE
    -fsanitize=${MUXBENCH_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(muxbench_options INTERFACE -fsanitize=${MUXBENCH_SANITIZE})
endif()

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
    target_link_libraries(muxbench_${name} PUBLIC muxbench_options ${ARG_LINK})
  else()
    add_library(muxbench_${name} INTERFACE)
    target_include_directories(muxbench_${name} INTERFACE ${root})
    target_link_libraries(muxbench_${name} INTERFACE muxbench_options ${ARG_LINK})
  endif()
  add_library(muxbench::${name} ALIAS muxbench_${name})
endfunction()
