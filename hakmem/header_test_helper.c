/* hakmem.h by a standard of C. */
#include "hakmem/header_test_helper.h"

#ifndef __STDC_VERSION__
#define __STDC_VERSION__ 0L
#endif

HeaderLayout HEADER_FUNCTION(void);

HeaderLayout HEADER_FUNCTION(void) {
  static const HeaderLayout layout = HEADER_LAYOUT(__STDC_VERSION__);
  return layout;
}
