#define NAME(x) x##_avx2
#include "sign_rows.h"
#include "sign_pass.h"
#include "sign_noise.h"
#include "sign_rprelu.h"
#include "sign_table.h"
