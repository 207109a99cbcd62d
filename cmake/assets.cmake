# Files that the program carries inside itself: each becomes a std::string_view in a generated source, made anew when
# the file changes. (Not #embed: this ccache does not see a change of what was embedded.)

set(SEKISHO_CHART_JS /usr/share/javascript/chart.js/chart.min.js CACHE FILEPATH "Chart.js 3, minified")

# sekisho_embed(target namespace kName=file …)
function(sekisho_embed target namespace)
  set(source ${CMAKE_BINARY_DIR}/generated/${namespace}_assets.cc)
  set(files "")
  foreach(pair IN LISTS ARGN)
    string(REGEX REPLACE "^[^=]*=" "" file "${pair}")
    if(NOT EXISTS ${file})
      message(FATAL_ERROR "${file} is missing: scripts/install build")
    endif()
    list(APPEND files ${file})
  endforeach()
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -D OUT=${source} -D NAMESPACE=${namespace} -D "PAIRS=${ARGN}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${source})
endfunction()

function(sekisho_assets)
  set(report ${CMAKE_SOURCE_DIR}/src/prove/report)
  sekisho_embed(room_prove_report prove
    kReportCss=${report}/report.css
    kReportJs=${report}/report.js
    kChartLicence=${report}/chart-licence.txt
    kChartJs=${SEKISHO_CHART_JS})
endfunction()
