# What muxbench is built on. tests/run_all.sh and bench/run_all.sh install these on Debian (scripts/packages.txt).
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)  # Boost::headers: Math for the findings, Asio for servers

# Optional: a server whose library is missing is built as a program that says so.
pkg_check_modules(LIBURING IMPORTED_TARGET liburing)
if(TARGET PkgConfig::LIBURING)  # its headers name their version only since 2.4
  target_compile_definitions(PkgConfig::LIBURING INTERFACE LIBURING_VERSION="${LIBURING_VERSION}")
endif()
pkg_check_modules(LIBUV IMPORTED_TARGET libuv)
pkg_check_modules(LIBEVENT IMPORTED_TARGET libevent_core)

# libev comes without a pkg-config file.
find_library(LIBEV_LIBRARY ev)
find_path(LIBEV_INCLUDE_DIR ev.h PATH_SUFFIXES libev)
if(LIBEV_LIBRARY AND LIBEV_INCLUDE_DIR)
  add_library(libev::libev UNKNOWN IMPORTED)
  set_target_properties(libev::libev PROPERTIES
    IMPORTED_LOCATION ${LIBEV_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${LIBEV_INCLUDE_DIR})
endif()
