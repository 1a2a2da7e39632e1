/* The specification; and the table of tables. */
#include <string.h>
#include "project.h"

#define T int32_t
#define NAME run32
#include "plain.h"
#undef T
#undef NAME
#define T int64_t
#define NAME run64
#include "plain.h"

static const bw_project_kernels reference = {"reference", 1, run32, run64};

#ifdef BW_HAVE_AVX2
extern const bw_project_kernels bw_project_avx2;
#endif
#ifdef BW_HAVE_AVX512
extern const bw_project_kernels bw_project_avx512;
extern const bw_batch_kernels bw_batch_avx512;
#endif

const bw_project_kernels *bw_find_project_kernels(const char *isa) {
#ifdef BW_HAVE_AVX2
    if (!strcmp(isa, "avx2")) return &bw_project_avx2;
#endif
#ifdef BW_HAVE_AVX512
    if (!strcmp(isa, "avx512")) return &bw_project_avx512;
#endif
    (void)isa;
    return &reference;
}

const bw_batch_kernels *bw_find_batch_kernels(const char *isa) {
#ifdef BW_HAVE_AVX512
    if (!strcmp(isa, "avx512")) return &bw_batch_avx512;
#endif
    (void)isa;
    return NULL;
}
