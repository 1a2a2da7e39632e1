/* The arcsine, and normal numbers made of nothing but a seed and their place, compiled once for each instruction set. */
#include "cosine_loops.h"
#include "sign_rows.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef uint32_t words __attribute__((vector_size(4 * BW_TRAIN_LANES)));
typedef uint8_t places __attribute__((vector_size(BW_TRAIN_LANES)));

#define LOWER(x, most) CHOOSE((x) > (most), SAME(most), x) /* nan stays what it is */
#define HIGHER(x, least) CHOOSE((x) < (least), SAME(least), x)

INLINE void NAME(root)(const row *x, row *y) {
#if defined(__AVX512F__)
  *y = (row)_mm512_sqrt_ps((__m512)*x);
#elif defined(__SSE2__)
#if defined(__AVX2__)
#define STEP 8
#define ROOT_AT(from, to) _mm256_storeu_ps(to, _mm256_sqrt_ps(_mm256_loadu_ps(from)))
#else
#define STEP 4
#define ROOT_AT(from, to) _mm_storeu_ps(to, _mm_sqrt_ps(_mm_loadu_ps(from)))
#endif
  for (int i = 0; i < BW_TRAIN_LANES; i += STEP) ROOT_AT((const float *)x + i, (float *)y + i);
#else
  for (int i = 0; i < BW_TRAIN_LANES; i++) (*y)[i] = sqrtf((*x)[i]);
#endif
}

/* (2 / pi) asin(x) for |x| <= 1, to 1.5e-7: above 1/2 by asin(x) = pi / 2 - 2 asin(sqrt((1 - x) / 2)). */
INLINE void NAME(arcsine)(const row *x, row *y) {
  const row size = SIZE(*x), half = 0.5f - 0.5f * size;
  const whole far = size > 0.5f;
  row low;
  NAME(root)(&half, &low);
  const row s = CHOOSE(far, low, size), z = CHOOSE(far, half, size * size);
  const row p = (((0.0422185665f * z + 0.0241476011f) * z + 0.0454770989f) * z + 0.0749524177f) * z + 0.166667539f;
  const row near = (s + s * z * p) * 0.636619772367581343f;
  *y = (row)((whole)CHOOSE(far, 1.0f - 2.0f * near, near) | ((whole)*x & INT32_MIN));
}

INLINE uint64_t NAME(mixed)(uint64_t x) { /* SplitMix64: Steele, Lea and Flood 2014 */
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* Every bit of x turns every bit of the result with probability near 1/2; multipliers: Wellons 2018, lowbias32. */
INLINE void NAME(scramble)(words *x) {
  words w = *x;
  w = (w ^ (w >> 16)) * 0x7feb352du;
  w = (w ^ (w >> 15)) * 0x846ca68bu;
  *x = w ^ (w >> 16);
}

/* -2 ln u, u uniform in (0, 1], of 31 random bits. */
INLINE void NAME(exponential)(const words *bits, row *y) {
  const row u = (__builtin_convertvector((whole)(*bits >> 1), row) + 0.5f) * 4.656612873077393e-10f;
  const whole moved = (whole)u + (0x3f800000 - 0x3f3504f3); /* u = 2^k (1 + f), 1 + f from sqrt(1/2) to sqrt(2) */
  const row k = __builtin_convertvector((moved >> 23) - 127, row);
  const row f = (row)((moved & 0x7fffff) + 0x3f3504f3) - 1.0f;
  const row p = (((((0.118291355f * f - 0.189011929f) * f + 0.206038332f) * f - 0.248814334f) * f + 0.333033824f) * f -
                 0.500019621f) * f + 1.00000323f;
  const row square = (k * 0.693147180559945f + f * p) * -2.0f;
  *y = HIGHER(square, 0.0f);
}

/* Two rows of normal numbers (Box and Muller), those of block number `block` of a seed: sqrt(square) turn[0] and
 * sqrt(square) turn[1]. */
static __attribute__((noinline)) void NAME(normals)(uint64_t seed, uint64_t block, row *square, row *turn) {
  static const words lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const uint64_t a = NAME(mixed)(seed ^ NAME(mixed)(block + 0x9e3779b97f4a7c15u)), b = NAME(mixed)(a);
  words own = lanes * 0x9e3779b9u + (uint32_t)a, u, v;
  NAME(scramble)(&own);
  u = own ^ (uint32_t)(a >> 32);
  v = own ^ (uint32_t)b;
  NAME(scramble)(&u);
  NAME(scramble)(&v);
  NAME(exponential)(&u, square);
  const row angle = __builtin_convertvector((whole)v, row) * 7.314590396335798e-10f, z = angle * angle; /* pi / 2^32 */
  row sine;
  NAME(sine)(&angle, &sine);
  const row p = ((2.31942303e-5f * z - 1.38559207e-3f) * z + 4.16639887e-2f) * z - 0.499999323f;
  turn[0] = (row)((words)(1.0f + z * p) ^ (v << 31)); /* half a turn more, or not */
  turn[1] = (row)((words)sine ^ (v << 31));
}
