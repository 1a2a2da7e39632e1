#define NAME(x) x##_avx2
#include "choice.h"
