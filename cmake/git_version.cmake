# git_version(SOURCE FALLBACK RESULT): the version by git's tags vA.B.C, or FALLBACK+gHASH where there is none; FALLBACK outside of a repository.
# Changes that were not committed add ".changed".
# cmake -D SOURCE=DIR -D FALLBACK=A.B.C -D OUT=FILE -P git_version.cmake: writes a header, if it says something else than before.
function(git_version source fallback result)
  set(version ${fallback})
  execute_process(COMMAND git -C ${source} rev-parse --show-prefix OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
    RESULT_VARIABLE status)
  if(status EQUAL 0 AND prefix STREQUAL "")  # the repository's own folder, not one that something else keeps in its repository
    execute_process(COMMAND git -C ${source} describe --tags --long --match "v[0-9]*" --always OUTPUT_VARIABLE described
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND git -C ${source} status --porcelain --untracked-files=no OUTPUT_VARIABLE changed ERROR_QUIET)
    if(described MATCHES "^v(.*)-([0-9]+)-g([0-9a-f]+)$")
      set(version ${CMAKE_MATCH_1})
      if(NOT CMAKE_MATCH_2 EQUAL 0)
        string(APPEND version "+${CMAKE_MATCH_2}.g${CMAKE_MATCH_3}")
      endif()
    elseif(described MATCHES "^[0-9a-f]+$")
      string(APPEND version "+g${described}")
    endif()
    if(changed)
      string(APPEND version ".changed")
    endif()
  endif()
  set(${result} ${version} PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  git_version(${SOURCE} ${FALLBACK} version)
  file(CONFIGURE OUTPUT ${OUT} CONTENT "#pragma once\ninline constexpr const char* kGitVersion = \"@version@\";\n" @ONLY)
endif()
