/* int_conv2d with AVX2: the products of int_linear/avx2.c. */
#include "run.h"

BW_INT_CONV2D_KERNEL(avx2)
