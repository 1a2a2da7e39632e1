/* The tables of loops over planes, one an instruction set. */
#include "logic.h"
#include <string.h>

extern const bw_lanes bw_planes_lanes_reference_8;
static const bw_logic reference = {{&bw_planes_lanes_reference_8}};
#ifdef BW_HAVE_AVX2
extern const bw_lanes bw_planes_lanes_avx2_8, bw_planes_lanes_avx2_32;
static const bw_logic avx2 = {{&bw_planes_lanes_avx2_8, &bw_planes_lanes_avx2_32}};
#endif
#ifdef BW_HAVE_AVX512
extern const bw_lanes bw_planes_lanes_avx512_8, bw_planes_lanes_avx512_32, bw_planes_lanes_avx512_64;
static const bw_logic avx512 = {{&bw_planes_lanes_avx512_8, &bw_planes_lanes_avx512_32, &bw_planes_lanes_avx512_64}};
#endif

const bw_logic *bw_find_logic(const char *isa) {
#ifdef BW_HAVE_AVX2
    if (!strcmp(isa, "avx2")) return &avx2;
#endif
#ifdef BW_HAVE_AVX512
    if (!strcmp(isa, "avx512")) return &avx512;
#endif
    (void)isa;
    return &reference;
}
