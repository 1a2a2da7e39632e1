#include "kernels.h"
#define NAME(x) x##_avx2
#include "plain.h"
#include "layers.h"
#include "moves.h"
#include "tables.h"
