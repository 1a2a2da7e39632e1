/* The tables of tile loops, one an instruction set. */
#include <string.h>
#include "tiles.h"

extern const bw_tiles bw_tiles_reference, bw_tiles_avx2, bw_tiles_avx512;

const bw_tiles *bw_find_tiles(const char *isa) {
#ifdef BW_HAVE_AVX2
    if (!strcmp(isa, "avx2")) return &bw_tiles_avx2;
#endif
#ifdef BW_HAVE_AVX512
    if (!strcmp(isa, "avx512")) return &bw_tiles_avx512;
#endif
    (void)isa;
    return &bw_tiles_reference;
}
