# BPF programs, compiled by clang and made into a C header (a skeleton) by bpftool; libbpf loads them. All three are
# optional: without them the driver counts by perf events, and says so.
find_program(CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14)
find_program(BPFTOOL bpftool PATHS /usr/sbin /sbin)
pkg_check_modules(LIBBPF IMPORTED_TARGET libbpf)

# They become compile definitions, so no semicolon in them.
set(MUXBENCH_NO_BPF_BECAUSE "")
set(MUXBENCH_NO_BPF_REMEDY "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(bpf_architecture x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
  set(bpf_architecture arm64)
else()
  set(MUXBENCH_NO_BPF_BECAUSE "its BPF programs know x86-64 and arm64 only")
  set(MUXBENCH_NO_BPF_REMEDY "count by perf")
endif()
set(bpf_missing "")
foreach(needed CLANG:clang BPFTOOL:bpftool LIBBPF_FOUND:libbpf-dev)
  string(REPLACE ":" ";" needed ${needed})
  list(GET needed 0 variable)
  list(GET needed 1 package)
  if(NOT ${variable})
    list(APPEND bpf_missing ${package})
  endif()
endforeach()
if(bpf_missing)
  list(JOIN bpf_missing " " bpf_missing)
  set(MUXBENCH_NO_BPF_BECAUSE "not found: ${bpf_missing}")
  set(MUXBENCH_NO_BPF_REMEDY "apt-get install ${bpf_missing}, and build again")
endif()
if(MUXBENCH_NO_BPF_BECAUSE)
  message(STATUS "System calls are not counted by BPF: ${MUXBENCH_NO_BPF_BECAUSE} (${MUXBENCH_NO_BPF_REMEDY})")
endif()

# muxbench_bpf_skeleton(NAME FOLDER): NAME.bpf.c of this folder becomes FOLDER/NAME.skel.h.
function(muxbench_bpf_skeleton name folder)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
  set(object ${folder}/${name}.bpf.o)
  set(header ${folder}/${name}.skel.h)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${header}
    COMMAND ${CLANG} -g -O2 -Wall -Werror -target bpf -D__TARGET_ARCH_${bpf_architecture}
            -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -I${LIBBPF_INCLUDEDIR} -c ${source} -o ${object}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name} > ${header}
    DEPENDS ${source} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.h
    COMMENT "Building the BPF programs of ${name}" VERBATIM)
endfunction()
