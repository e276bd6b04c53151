// Both headers by a standard of C++; hakmem.hpp wants C++11.
#include "hakmem/header_test_helper.h"

#if __cplusplus >= 201103L
#include "hakmem/hakmem.hpp"

// All of it is compiled, whether called or not.
template class hakmem::allocator<int>;
template class hakmem::allocator<long double>;
#endif

extern "C" HeaderLayout HEADER_FUNCTION() {
  static const HeaderLayout layout = HEADER_LAYOUT(__cplusplus);
  return layout;
}
