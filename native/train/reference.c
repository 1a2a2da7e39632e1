#include "kernels.h"
#define NAME(x) x##_reference
#include "plain.h"
#include "layers.h"
#include "moves.h"
#include "tables.h"
