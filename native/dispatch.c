/* Which kernel set this CPU can run: by its feature bits and by what the operating system saves, never by model. */
#include <string.h>
#include "bitwright.h"
#include "kernels.h"

const bw_kernels *bw_find_kernels(const char *isa);

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#if defined(BW_HAVE_AMX) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum { XMM_YMM = 0x6, ZMM = 0xe6 };

static inline uint64_t saved_by_system(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0; /* OSXSAVE */
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static inline int has_avx2(void) {
    unsigned a, b, c, d;
    if ((saved_by_system() & XMM_YMM) != XMM_YMM || !__get_cpuid(1, &a, &b, &c, &d)) return 0;
    int avx = c >> 28 & 1, popcnt = c >> 23 & 1;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    int avx2 = b >> 5 & 1, bmi2 = b >> 8 & 1;
    return avx && popcnt && avx2 && bmi2;
}

static inline int has_avx512(void) {
    unsigned a, b, c, d;
    if (!has_avx2() || (saved_by_system() & ZMM) != ZMM || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    int f = b >> 16 & 1, dq = b >> 17 & 1, bw = b >> 30 & 1, vl = b >> 31 & 1;
    int vbmi = c >> 1 & 1, vnni = c >> 11 & 1, vpopcntdq = c >> 14 & 1;
    return f && dq && bw && vl && vbmi && vnni && vpopcntdq;
}

#ifdef BW_HAVE_AMX
/* Linux saves the eight kilobytes of tiles for processes that asked once; with signal stacks too small it says no. */
static inline int has_amx(void) {
#ifdef __linux__
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18, TILES = 0x60000 };
    unsigned a, b, c, d;
    if (!has_avx512() || (saved_by_system() & TILES) != TILES || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    int tile = d >> 24 & 1, int8 = d >> 25 & 1;
    return tile && int8 && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return 0;
#endif
}
#endif
#endif

/* Slowest first. */
static int available(const bw_kernels **sets) {
    int n = 0;
    sets[n++] = &bw_kernels_reference;
#ifdef BW_HAVE_NEON
    sets[n++] = &bw_kernels_neon; /* part of every 64-bit ARM */
#endif
#ifdef BW_HAVE_AVX2
    if (has_avx2()) sets[n++] = &bw_kernels_avx2;
#endif
#ifdef BW_HAVE_AVX512
    if (has_avx512()) sets[n++] = &bw_kernels_avx512;
#endif
#ifdef BW_HAVE_AMX
    if (has_amx()) sets[n++] = &bw_kernels_amx;
#endif
    return n;
}

const char *bw_isa_name(int index) {
    const bw_kernels *sets[5];
    int n = available(sets);
    return index >= 0 && index < n ? sets[index]->name : NULL;
}

const bw_kernels *bw_find_kernels(const char *isa) {
    const bw_kernels *sets[5];
    int n = available(sets);
    if (!isa) return sets[n - 1];
    for (int i = 0; i < n; i++)
        if (!strcmp(sets[i]->name, isa)) return sets[i];
    return NULL;
}

int bw_abi(void) { return BW_ABI; }
