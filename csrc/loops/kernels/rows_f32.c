/* float32 along an axis.  Compiled once for every dispatch target, with -DLEVEL=name; exports the table
   numact_axis_f32_<level>. */
#define REAL_BITS 32
#define REAL_NAME f32
#include "loops/rows.h"
