/* The C interface for other programs, and the dispatch target that it uses. */
#ifndef NUMACT_RUNTIME_API_H
#define NUMACT_RUNTIME_API_H

#include "numact.h"
#define NUMACT_API_WITHOUT_PYTHON
#include "numact_api.h"

/* Says which dispatch target calls use from now on. */
void numact_api_use(const struct numact_level *level);

/* What the capsule of Python holds. */
extern const struct numact_api numact_c_api;

#endif
