/* float32.  Compiled once for every dispatch target, with -DLEVEL=name; exports the tables numact_f32_<level>,
   numact_masked_f32_<level> and numact_bias_f32_<level>. */
#define REAL_BITS 32
#define REAL_NAME f32
#include "loops/bias.h"
#include "loops/elementwise.h"
#include "loops/masks.h"
