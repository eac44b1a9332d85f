"""The dispatch target in use: the instruction set that was chosen when the kernels were loaded."""

from numact._kernels import core

LEVEL: str = core.level()
core.use_in_api(LEVEL)
