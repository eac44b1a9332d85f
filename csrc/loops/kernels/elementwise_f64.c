/* float64.  Compiled once for every dispatch target, with -DLEVEL=name; exports the tables numact_f64_<level>,
   numact_masked_f64_<level> and numact_bias_f64_<level>. */
#define REAL_BITS 64
#define REAL_NAME f64
#include "loops/bias.h"
#include "loops/elementwise.h"
#include "loops/masks.h"
