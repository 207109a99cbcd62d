# The rooms of src/ and what each may include: the one table that both the link edges and
# scripts/check-includes read. A room lists every room whose headers its files may name.
#
# Files are found by name: x.cc belongs to the room's library, x_test.cc to its test binary,
# x_bench.cc to its benchmark, x_fuzz.cc is a fuzz target of its own.

set(SEKISHO_ROOMS
  "base:"
  "text: base"
  "config: base"
  "telemetry: base text"
  "net: base telemetry"
  "http: base text"
  "redis: base telemetry net"
  "identity: base text config telemetry http"
  "limit: base config telemetry net redis"
  "cache: base config telemetry net http"
  "client: base config telemetry net http"
  "origin: base text config telemetry net http client"
  "upstream: base config telemetry net http client limit origin"
  "serve: base config telemetry net http"
  "app: base text config telemetry net http serve"
  "gateway: base config telemetry net http redis serve identity limit cache client origin upstream app"
  "admin: base text config telemetry net http redis serve identity limit cache client origin upstream app gateway"
  "prove/model: base config"
  "prove/record: base prove/model"
  "prove/wire: base net prove/model"
  "prove/load: base config prove/model prove/wire"
  "prove/import: base config prove/model prove/wire"
  "prove/engine: base net prove/model prove/record prove/wire"
  "prove/stage: base telemetry prove/model prove/record prove/wire prove/engine"
  "prove/judge: base prove/model prove/record"
  "prove/report: base prove/model prove/record"
  "prove/run: base prove/model prove/record prove/wire prove/load prove/engine prove/stage prove/judge prove/report"
  "cli: base text config telemetry net http redis serve identity limit cache client origin upstream app gateway admin prove/record prove/load prove/import prove/judge prove/report prove/run"
)

set(SEKISHO_LIBS_base OpenSSL::Crypto fmt::fmt)
set(SEKISHO_LIBS_config yaml-cpp fmt::fmt Boost::json)
set(SEKISHO_LIBS_telemetry fmt::fmt)
set(SEKISHO_LIBS_net OpenSSL::SSL ${SEKISHO_CARES})
set(SEKISHO_LIBS_http OpenSSL::Crypto fmt::fmt)
set(SEKISHO_LIBS_app fmt::fmt)
set(SEKISHO_LIBS_limit fmt::fmt)
set(SEKISHO_LIBS_identity OpenSSL::Crypto Boost::json)
set(SEKISHO_LIBS_origin OpenSSL::Crypto)
set(SEKISHO_LIBS_prove_model fmt::fmt)
set(SEKISHO_LIBS_prove_record OpenSSL::Crypto Boost::json ZLIB::ZLIB fmt::fmt)
set(SEKISHO_LIBS_prove_wire OpenSSL::Crypto Boost::json ZLIB::ZLIB fmt::fmt)
set(SEKISHO_LIBS_prove_import Boost::json fmt::fmt)
set(SEKISHO_LIBS_cli CLI11::CLI11 Boost::json)

function(sekisho_rooms)
  foreach(row IN LISTS SEKISHO_ROOMS)
    string(REGEX MATCH "^([a-z/]+):(.*)$" _ "${row}")
    set(room ${CMAKE_MATCH_1})
    separate_arguments(edges UNIX_COMMAND "${CMAKE_MATCH_2}")
    sekisho_room(${room} "${edges}")
  endforeach()
endfunction()

# prove/load has its files in src/prove/load; its targets are room_prove_load and prove_load_test.
function(sekisho_room folder edges)
  string(REPLACE "/" "_" room ${folder})
  string(REPLACE "/" "_" edges "${edges}")
  file(GLOB all CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cc)
  list(FILTER all EXCLUDE REGEX "cli/main\\.cc$")
  set(tests ${all})
  set(benches ${all})
  set(fuzzers ${all})
  list(FILTER all EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")

  set(links sekisho_flags Threads::Threads ${SEKISHO_LIBS_${room}})
  foreach(edge IN LISTS edges)
    list(APPEND links room_${edge})
  endforeach()
  if(all)
    add_library(room_${room} STATIC ${all})
    target_link_libraries(room_${room} PUBLIC ${links})
  else()
    add_library(room_${room} INTERFACE)
    target_link_libraries(room_${room} INTERFACE ${links})
  endif()

  if(SEKISHO_TESTS AND tests)
    find_package(GTest REQUIRED)
    add_executable(${room}_test ${tests})
    target_link_libraries(${room}_test PRIVATE room_${room} GTest::gmock GTest::gtest_main)
    # A test's own code runs for milliseconds and is compiled in every preset: half the time of a whole build was
    # spent on making it fast. What it tests keeps the preset's flags.
    target_compile_options(${room}_test PRIVATE -O0 -gline-tables-only)
    # For the tests that read files of ours, and no others: it is another one in each clone, and so is the object.
    foreach(file IN LISTS tests)
      file(STRINGS ${file} reads_files REGEX "SEKISHO_SOURCE_DIR" LIMIT_COUNT 1)
      if(reads_files)
        set_property(SOURCE ${file} APPEND PROPERTY COMPILE_DEFINITIONS SEKISHO_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      endif()
    endforeach()
    add_test(NAME ${room} COMMAND ${room}_test --gtest_brief=1)
    set_tests_properties(${room} PROPERTIES TIMEOUT 300)
  endif()
  if(SEKISHO_BENCH AND benches AND NOT SEKISHO_SANITIZE)
    find_package(benchmark REQUIRED)
    add_executable(${room}_bench ${benches})
    target_link_libraries(${room}_bench PRIVATE room_${room} benchmark::benchmark_main)
    sekisho_link_llhttp(${room}_bench)
  endif()
  if(SEKISHO_FUZZ)
    foreach(file IN LISTS fuzzers)
      get_filename_component(name ${file} NAME_WE)
      add_executable(${name} ${file})
      target_link_libraries(${name} PRIVATE room_${room})
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      sekisho_link_llhttp(${name})
    endforeach()
  endif()
endfunction()

# llhttp is the oracle of the parser's fuzzer and the yardstick of its benchmark; it never ships.
# Debian's node-llhttp brings it as C sources.
function(sekisho_link_llhttp target)
  if(NOT TARGET llhttp)
    if(NOT EXISTS /usr/share/llhttp/llhttp.c)
      message(FATAL_ERROR "llhttp's sources are missing: scripts/install test")
    endif()
    add_library(llhttp STATIC EXCLUDE_FROM_ALL
      /usr/share/llhttp/llhttp.c /usr/share/llhttp/api.c /usr/share/llhttp/http.c)
    target_include_directories(llhttp SYSTEM PUBLIC /usr/share/include/llhttp)
    target_compile_options(llhttp PRIVATE -O3 -w)
  endif()
  target_link_libraries(${target} PRIVATE llhttp)
endfunction()
