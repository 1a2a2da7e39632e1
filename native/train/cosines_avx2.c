#define NAME(x) x##_avx2
#include "cosine_math.h"
#include "cosine_rows.h"
#include "cosine_back.h"
#include "row_moments.h"
#include "rasu.h"
#include "cosine_table.h"
