/* Sums across the lanes of 512-bit registers, and transpositions. */

/* The four sums, added to four floats: each step halves what is left of all four at once. */
static inline void sum4(__m512 r0, __m512 r1, __m512 r2, __m512 r3, float *to) {
  __m512 r01 = _mm512_add_ps(_mm512_unpacklo_ps(r0, r1), _mm512_unpackhi_ps(r0, r1));
  __m512 r23 = _mm512_add_ps(_mm512_unpacklo_ps(r2, r3), _mm512_unpackhi_ps(r2, r3));
  __m512 all = _mm512_add_ps(_mm512_shuffle_ps(r01, r23, 0x44), _mm512_shuffle_ps(r01, r23, 0xee));
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  _mm_storeu_ps(to, _mm_add_ps(quarter, _mm_loadu_ps(to)));
}

/* In every quarter of the registers the 4 x 4 numbers, from rows to columns. */
static inline void transpose4(const __m512 *from, __m512 *to) {
  __m512d p0 = (__m512d)_mm512_unpacklo_ps(from[0], from[1]), p1 = (__m512d)_mm512_unpackhi_ps(from[0], from[1]);
  __m512d p2 = (__m512d)_mm512_unpacklo_ps(from[2], from[3]), p3 = (__m512d)_mm512_unpackhi_ps(from[2], from[3]);
  to[0] = (__m512)_mm512_unpacklo_pd(p0, p2), to[1] = (__m512)_mm512_unpackhi_pd(p0, p2);
  to[2] = (__m512)_mm512_unpacklo_pd(p1, p3), to[3] = (__m512)_mm512_unpackhi_pd(p1, p3);
}

/* The quarters as 4 x 4 numbers: register i, quarter j from register j, quarter i. Registers lie `apart`. */
static inline void transpose_quarters(const __m512 *from, __m512 *to, int apart) {
  __m512 q0 = _mm512_shuffle_f32x4(from[0], from[apart], 0x88), q1 = _mm512_shuffle_f32x4(from[0], from[apart], 0xdd);
  __m512 q2 = _mm512_shuffle_f32x4(from[2 * apart], from[3 * apart], 0x88);
  __m512 q3 = _mm512_shuffle_f32x4(from[2 * apart], from[3 * apart], 0xdd);
  to[0] = _mm512_shuffle_f32x4(q0, q2, 0x88), to[2 * apart] = _mm512_shuffle_f32x4(q0, q2, 0xdd);
  to[apart] = _mm512_shuffle_f32x4(q1, q3, 0x88), to[3 * apart] = _mm512_shuffle_f32x4(q1, q3, 0xdd);
}

static inline void transpose16(__m512 *rows) {
  __m512 half[16];
  for (int i = 0; i < 16; i += 4) transpose4(rows + i, half + i);
  for (int i = 0; i < 4; i++) transpose_quarters(half + i, rows + i, 4);
}

static inline void four_rows(const float *each, __m512 *rows) {
  __m512 from[4], quarters[4];
  for (int i = 0; i < 4; i++) from[i] = _mm512_load_ps(each + 16 * i);
  transpose_quarters(from, quarters, 1);
  transpose4(quarters, rows);
}

static inline void four_each(const __m512 *rows, float *each) {
  __m512 quarters[4], to[4];
  transpose4(rows, quarters);
  transpose_quarters(quarters, to, 1);
  for (int i = 0; i < 4; i++) _mm512_store_ps(each + 16 * i, to[i]);
}
