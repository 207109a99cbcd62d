# Writes generated/version.h; touched only when the commit changes, so that a build is not redone for it.
execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD
  OUTPUT_VARIABLE SEKISHO_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT SEKISHO_COMMIT)
  set(SEKISHO_COMMIT unknown)
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/version.h CONTENT
"#pragma once
#define SEKISHO_VERSION \"@PROJECT_VERSION@\"
#define SEKISHO_COMMIT \"@SEKISHO_COMMIT@\"
" @ONLY)
