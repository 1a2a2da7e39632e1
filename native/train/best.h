/* Which of a table of loops, one for each instruction set, this CPU runs: the fastest that it has. Asked once a call, for
 * the answer never changes. */
#ifndef BW_TRAIN_BEST_H
#define BW_TRAIN_BEST_H

#if defined(BW_HAVE_AVX512)
#define BW_TRAIN_TRY_AVX512(table)                                                                     \
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&                       \
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))                        \
    return &table##_avx512;
#else
#define BW_TRAIN_TRY_AVX512(table)
#endif
#if defined(BW_HAVE_AVX2)
#define BW_TRAIN_TRY_AVX2(table) \
  if (__builtin_cpu_supports("avx2")) return &table##_avx2;
#else
#define BW_TRAIN_TRY_AVX2(table)
#endif

/* The body of a function that returns a pointer to the best of table_avx512, table_avx2 and table_reference. */
#define BW_TRAIN_RETURN_BEST(table) \
  BW_TRAIN_TRY_AVX512(table)        \
  BW_TRAIN_TRY_AVX2(table)          \
  return &table##_reference
#endif
