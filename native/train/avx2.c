#include "kernels.h"
#define NAME(x) x##_avx2
#include "gates.h"
