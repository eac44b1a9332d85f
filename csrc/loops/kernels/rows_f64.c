/* float64 along an axis.  Compiled once for every dispatch target, with -DLEVEL=name; exports the table
   numact_axis_f64_<level>. */
#define REAL_BITS 64
#define REAL_NAME f64
#include "loops/rows.h"
