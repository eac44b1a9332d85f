/* float32 normalised.  Compiled once for every dispatch target, with -DLEVEL=name; exports the table
   numact_norm_f32_<level>. */
#define REAL_BITS 32
#define REAL_NAME f32
#include "loops/norm/tasks.h"
