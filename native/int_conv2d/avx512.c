/* int_conv2d with AVX-512: the products of int_linear/avx512.c. */
#include "run.h"

BW_INT_CONV2D_KERNEL(avx512)
