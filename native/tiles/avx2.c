#define ISA avx2
#include "template.h"
