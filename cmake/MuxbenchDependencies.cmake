# What muxbench is built on. tests/run_all.sh and bench/run_all.sh install these on Debian (scripts/packages.txt).
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)

# Optional: a server whose library is missing is built as a program that says so.
pkg_check_modules(LIBURING IMPORTED_TARGET liburing)
