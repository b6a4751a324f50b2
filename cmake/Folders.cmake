# vesalius_folder(NAME [USES folder...] [LINK target...] [TORCH])
#   One static library vesalius_NAME from src/NAME/*.cpp. TORCH: its sources see LibTorch, through a
#   precompiled header shared by all such folders.
# vesalius_program(NAME FROM folder [USES ...] [LINK ...] [TORCH])
#   The same for an executable.

add_library(vesalius_pch OBJECT "${CMAKE_SOURCE_DIR}/cmake/pch.cpp")
target_link_libraries(vesalius_pch PUBLIC libtorch)
target_precompile_headers(vesalius_pch PRIVATE <ATen/ATen.h>)

function(vesalius_configure target)
  cmake_parse_arguments(ARG "TORCH" "FROM" "USES;LINK" ${ARGN})
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  list(TRANSFORM ARG_USES PREPEND vesalius_)
  target_link_libraries(${target} PUBLIC ${ARG_USES} ${ARG_LINK})
  target_compile_definitions(${target} PRIVATE VESALIUS_VERSION="${PROJECT_VERSION}"
    VESALIUS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(ARG_TORCH)
    target_link_libraries(${target} PUBLIC libtorch)
    target_precompile_headers(${target} REUSE_FROM vesalius_pch)
  endif()
endfunction()

# kernels_KIND.cpp are compiled for one kind of CPU, fully optimised in every preset, and chosen at run time.
# GCC 12 takes its own intrinsics' deliberately undefined registers for uninitialised variables.
function(vesalius_kernels)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    return()
  endif()
  set(avx2 -mavx2 -mfma)
  set(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma)
  set(bf16 ${avx512} -mavx512bf16 -mavx512vnni)
  foreach(source ${ARGN})
    if(source MATCHES "/kernels_(avx2|avx512|bf16)\\.cpp$")
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON
        COMPILE_OPTIONS "-O3;-Wno-uninitialized;$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>;${${CMAKE_MATCH_1}}")
    endif()
  endforeach()
endfunction()

function(vesalius_folder name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cpp")
  if(NOT sources)
    add_library(vesalius_${name} INTERFACE)
    return()
  endif()
  add_library(vesalius_${name} STATIC ${sources})
  vesalius_kernels(${sources})
  vesalius_configure(vesalius_${name} ${ARGN})
endfunction()

function(vesalius_program name)
  cmake_parse_arguments(ARG "TORCH" "FROM" "USES;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${ARG_FROM}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  vesalius_configure(${name} ${ARGN})
endfunction()
