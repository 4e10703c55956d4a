# Targets of this project: one library per folder with listed sources, one test binary per folder.

# -Wshadow=local: the option names of taizhang/options.proto (event, command, field …) are globals of our namespace.
set(TAIZHANG_WARNINGS -Wall -Wextra -Wconversion -Wshadow=local -Wno-sign-conversion)
if(TAIZHANG_WERROR)
  list(APPEND TAIZHANG_WARNINGS -Werror)
endif()

set(TAIZHANG_SANITIZE_FLAGS "")
if(TAIZHANG_SANITIZE)
  list(JOIN TAIZHANG_SANITIZE "," _list)
  set(TAIZHANG_SANITIZE_FLAGS -fsanitize=${_list} -fno-omit-frame-pointer -fno-sanitize-recover=all)
endif()

function(_taizhang_common target)
  target_compile_options(${target} PRIVATE ${TAIZHANG_WARNINGS} ${TAIZHANG_SANITIZE_FLAGS})
  target_link_options(${target} PUBLIC ${TAIZHANG_SANITIZE_FLAGS})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# taizhang_library(name SOURCES a.cc … [PUBLIC libs…] [PRIVATE libs…])
function(taizhang_library name)
  cmake_parse_arguments(A "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  _taizhang_common(${name})
  target_link_libraries(${name} PUBLIC ${A_PUBLIC} PRIVATE ${A_PRIVATE})
endfunction()

# The command prefix under which a test finds a Kafka broker in TAIZHANG_KAFKA=host:port.
set(TAIZHANG_BROKER python3 ${CMAKE_SOURCE_DIR}/tests/support/kafka_broker.py run --)

# Ends a test that hangs. The slowest take four minutes on an idle machine, and may be given a tenth of a busy one.
set(TAIZHANG_TEST_SECONDS_MAX 3000)

# taizhang_test(name SOURCES a_test.cc … LIBS libs… [BROKER]): one gtest binary, registered with ctest.
# BROKER runs it under a Kafka broker; it takes topics of its own names, the broker is shared.
function(taizhang_test name)
  cmake_parse_arguments(A "BROKER" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  _taizhang_common(${name})
  target_link_libraries(${name} PRIVATE ${A_LIBS} GTest::gtest GTest::gtest_main Threads::Threads)
  if(A_BROKER)
    add_test(NAME ${name} COMMAND ${TAIZHANG_BROKER} $<TARGET_FILE:${name}>)
  else()
    add_test(NAME ${name} COMMAND ${name})
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TAIZHANG_TEST_SECONDS_MAX})
endfunction()

# taizhang_binary(name SOURCES … LIBS …)
function(taizhang_binary name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  _taizhang_common(${name})
  target_link_libraries(${name} PRIVATE ${A_LIBS} Threads::Threads)
endfunction()

# taizhang_pytest(name file.py [BROKER] [ENVIRONMENT A=b …]): Python tests, run by tests/run.sh's virtual
# environment; BROKER as above.
function(taizhang_pytest name file)
  cmake_parse_arguments(A "BROKER" "" "ENVIRONMENT" ${ARGN})
  set(_prefix "")
  if(A_BROKER)
    set(_prefix ${TAIZHANG_BROKER})
  endif()
  add_test(NAME ${name}
    COMMAND ${_prefix} ${CMAKE_SOURCE_DIR}/tests/support/pytest.sh ${name} ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TAIZHANG_TEST_SECONDS_MAX} ENVIRONMENT "${A_ENVIRONMENT}")
endfunction()
