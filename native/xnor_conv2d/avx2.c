/* xnor_conv2d with AVX2: the product of xnor_linear/avx2.c. */
#include "run.h"

BW_XNOR_CONV2D_KERNEL(avx2, NULL)
