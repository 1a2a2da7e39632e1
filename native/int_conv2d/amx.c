/* int_conv2d with AMX: the products of int_linear/amx.c. */
#include "run.h"

BW_INT_CONV2D_KERNEL(amx)
