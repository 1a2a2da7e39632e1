#include "kernels.h"
#define NAME(x) x##_reference
#include "plain.h"
#include "layers.h"
#include "softmax.h"
