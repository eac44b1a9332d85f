/* Statistics of float64.  Compiled once for every dispatch target, with -DLEVEL=name; exports
   numact_observe_f64_<level>. */
#define REAL_BITS 64
#define REAL_NAME f64
#include "loops/statistics/chunks.h"
