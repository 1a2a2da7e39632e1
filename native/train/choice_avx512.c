#define NAME(x) x##_avx512
#include "choice.h"
