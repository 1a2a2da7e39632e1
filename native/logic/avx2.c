#define ISA avx2
#define WIDTH 8
#include "template.h"
#undef WIDTH
#define WIDTH 32
#include "template.h"
