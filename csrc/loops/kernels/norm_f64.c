/* float64 normalised.  Compiled once for every dispatch target, with -DLEVEL=name; exports the table
   numact_norm_f64_<level>. */
#define REAL_BITS 64
#define REAL_NAME f64
#include "loops/norm/tasks.h"
