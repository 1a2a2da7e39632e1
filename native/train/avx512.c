#include "kernels.h"
#define NAME(x) x##_avx512
#include "gates.h"
