#define NAME(x) x##_reference
#include "choice.h"
