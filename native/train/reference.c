#include "kernels.h"
#define NAME(x) x##_reference
#include "gates.h"
