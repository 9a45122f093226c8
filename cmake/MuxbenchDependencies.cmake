# What muxbench is built on. tests/run_all.sh and bench/run_all.sh install these on Debian (scripts/packages.txt).
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost)
if(NOT Boost_FOUND)
  message(FATAL_ERROR "Boost's headers were not found (Boost.Math, for muxbench compare); install libboost1.81-dev or newer")
endif()
find_path(VALIJSON_INCLUDE_DIR valijson/validator.hpp)
if(NOT VALIJSON_INCLUDE_DIR)
  message(FATAL_ERROR "valijson was not found (the driver checks reports by results/schema.json with it); install libvalijson-dev")
endif()

# Optional: the load generator on many hosts (docs/many-hosts.md). We call MPI by its C interface.
set(MPI_CXX_SKIP_MPICXX ON)
find_package(MPI COMPONENTS CXX)

# Optional: a server whose library is missing is built as a program that says so (servers/CMakeLists.txt).
set(MUXBENCH_WITHOUT "" CACHE STRING "Configure as if these libraries were missing: asio, boost_context, boost_fiber, libev, libevent, liburing, libuv, st")

# muxbench_optional(libev TARGET libev::libev PACKAGE libev-dev): its name, its target and its package in Debian; LABEL is its
# name for people, if that is another. Sets MUXBENCH_SEEK_libev, unless it is among MUXBENCH_WITHOUT.
set(muxbench_optionals "")
function(muxbench_optional name)
  cmake_parse_arguments(ARG "" "LABEL;TARGET;PACKAGE" "" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL ${name})
  endif()
  set_property(GLOBAL PROPERTY "MUXBENCH_NAME_OF_${ARG_TARGET}" "${ARG_LABEL}")
  set_property(GLOBAL PROPERTY "MUXBENCH_PACKAGE_OF_${ARG_TARGET}" ${ARG_PACKAGE})
  set(muxbench_optionals ${muxbench_optionals} ${name} PARENT_SCOPE)
  if(name IN_LIST MUXBENCH_WITHOUT)
    set(MUXBENCH_SEEK_${name} FALSE PARENT_SCOPE)
  else()
    set(MUXBENCH_SEEK_${name} TRUE PARENT_SCOPE)
  endif()
endfunction()

muxbench_optional(asio LABEL "Boost.Asio of Boost 1.81" TARGET muxbench::asio PACKAGE libboost1.81-dev)
if(MUXBENCH_SEEK_asio AND Boost_VERSION VERSION_GREATER_EQUAL 1.81)
  add_library(muxbench_asio INTERFACE)
  target_link_libraries(muxbench_asio INTERFACE Boost::headers)
  add_library(muxbench::asio ALIAS muxbench_asio)
endif()

# For stacks of user-level threads: libraries to link, where Asio is headers only.
muxbench_optional(boost_context LABEL "Boost.Context of Boost 1.81" TARGET muxbench::boost_context PACKAGE libboost-context1.81-dev)
muxbench_optional(boost_fiber LABEL "Boost.Fiber of Boost 1.81" TARGET muxbench::boost_fiber PACKAGE libboost-fiber1.81-dev)
foreach(name context fiber)
  if(MUXBENCH_SEEK_boost_${name} AND Boost_VERSION VERSION_GREATER_EQUAL 1.81)
    find_library(BOOST_${name}_LIBRARY boost_${name})
    if(BOOST_${name}_LIBRARY)
      add_library(muxbench::boost_${name} UNKNOWN IMPORTED)
      set_target_properties(muxbench::boost_${name} PROPERTIES
        IMPORTED_LOCATION ${BOOST_${name}_LIBRARY} INTERFACE_LINK_LIBRARIES Boost::headers)
    endif()
  endif()
endforeach()

muxbench_optional(libev TARGET libev::libev PACKAGE libev-dev)
if(MUXBENCH_SEEK_libev)  # it comes without a pkg-config file
  find_library(LIBEV_LIBRARY ev)
  find_path(LIBEV_INCLUDE_DIR ev.h PATH_SUFFIXES libev)
  if(LIBEV_LIBRARY AND LIBEV_INCLUDE_DIR)
    add_library(libev::libev UNKNOWN IMPORTED)
    set_target_properties(libev::libev PROPERTIES
      IMPORTED_LOCATION ${LIBEV_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${LIBEV_INCLUDE_DIR})
  endif()
endif()

muxbench_optional(libevent TARGET PkgConfig::LIBEVENT PACKAGE libevent-dev)
if(MUXBENCH_SEEK_libevent)
  pkg_check_modules(LIBEVENT IMPORTED_TARGET libevent_core)
endif()

muxbench_optional(liburing TARGET PkgConfig::LIBURING PACKAGE liburing-dev)
if(MUXBENCH_SEEK_liburing)
  pkg_check_modules(LIBURING IMPORTED_TARGET liburing)
  if(TARGET PkgConfig::LIBURING)  # its headers name their version only since 2.4
    target_compile_definitions(PkgConfig::LIBURING INTERFACE LIBURING_VERSION="${LIBURING_VERSION}")
  endif()
endif()

muxbench_optional(libuv TARGET PkgConfig::LIBUV PACKAGE libuv1-dev)
if(MUXBENCH_SEEK_libuv)
  pkg_check_modules(LIBUV IMPORTED_TARGET libuv)
endif()

muxbench_optional(st LABEL "State Threads" TARGET PkgConfig::ST PACKAGE libst-dev)
if(MUXBENCH_SEEK_st)
  pkg_check_modules(ST IMPORTED_TARGET st)
endif()

foreach(name IN LISTS MUXBENCH_WITHOUT)
  if(NOT name IN_LIST muxbench_optionals)
    list(JOIN muxbench_optionals ", " known)
    message(FATAL_ERROR "MUXBENCH_WITHOUT: there is no library \"${name}\" to go without; there are ${known}")
  endif()
endforeach()
