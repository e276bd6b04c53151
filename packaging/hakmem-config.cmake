# find_package(hakmem) gives
#   hakmem::hakmem    the shared library; whoever links it has its malloc
#   hakmem::static    the same, inside the program
#   hakmem::headers   hakmem/hakmem.h and hakmem/hakmem.hpp alone
# All paths are found from where this file is.
if(TARGET hakmem::hakmem)
  return()
endif()

get_filename_component(_hakmem_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
# LIBDIR is lib or lib/<architecture> below the prefix.
set(_hakmem_prefix "${_hakmem_libdir}")
while(NOT EXISTS "${_hakmem_prefix}/include/hakmem/hakmem.h")
  get_filename_component(_hakmem_up "${_hakmem_prefix}" DIRECTORY)
  if(_hakmem_up STREQUAL _hakmem_prefix)
    set(hakmem_FOUND FALSE)
    set(hakmem_NOT_FOUND_MESSAGE
        "no include/hakmem/hakmem.h above ${_hakmem_libdir}")
    return()
  endif()
  set(_hakmem_prefix "${_hakmem_up}")
endwhile()

foreach(_hakmem_file libhakmem.so.1 libhakmem.a)
  if(NOT EXISTS "${_hakmem_libdir}/${_hakmem_file}")
    set(hakmem_FOUND FALSE)
    set(hakmem_NOT_FOUND_MESSAGE "${_hakmem_libdir}/${_hakmem_file} is missing")
    return()
  endif()
endforeach()

add_library(hakmem::headers INTERFACE IMPORTED)
set_target_properties(hakmem::headers PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${_hakmem_prefix}/include")

# The options for the linker are for programs that call malloc only by way of
# other libraries.
add_library(hakmem::hakmem SHARED IMPORTED)
set_target_properties(hakmem::hakmem PROPERTIES
  IMPORTED_LOCATION "${_hakmem_libdir}/libhakmem.so.1"
  IMPORTED_SONAME "libhakmem.so.1"
  INTERFACE_LINK_OPTIONS
  "-Wl,--push-state,--no-as-needed,${_hakmem_libdir}/libhakmem.so.1,--pop-state"
  INTERFACE_LINK_LIBRARIES hakmem::headers)

add_library(hakmem::static STATIC IMPORTED)
set_target_properties(hakmem::static PROPERTIES
  IMPORTED_LOCATION "${_hakmem_libdir}/libhakmem.a"
  INTERFACE_LINK_LIBRARIES "hakmem::headers;-Wl,-u,malloc;-pthread")

unset(_hakmem_file)
unset(_hakmem_libdir)
unset(_hakmem_prefix)
unset(_hakmem_up)
