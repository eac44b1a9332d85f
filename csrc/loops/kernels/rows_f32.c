/* float32 along an axis.  Compiled once per level, with -DLEVEL=name; exports the table numact_axis_f32_<level>. */
#define REAL_BITS 32
#define REAL_NAME f32
#include "loops/rows.h"
