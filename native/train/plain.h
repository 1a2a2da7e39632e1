/* What layers.h needs where the compiler alone makes the vectors. */
#define SAME(number) (number)
#define MULADD(a, b, c) ((a) * (b) + (c))
#define KEPT(old, at) ((old) ? *(at) : (row){0})
/* No half rows here: has_half is 0, nothing asks for them. */
#define VALUE_GET(at, i) (((const row *)(at))[i])
#define VALUE_SET(at, i, values) (((row *)(at))[i] = (values))
#define GRAD_KEPT(old, at, i) KEPT(old, (const row *)(at) + (i))
#define GRAD_SET(at, i, values) (((row *)(at))[i] = (values))
#define HAS_HALF 0
#define SUM4(r0, r1, r2, r3, to)               \
  do {                                         \
    float at[4] = {0, 0, 0, 0};                \
    for (int i = 0; i < BW_TRAIN_LANES; i++) { \
      at[0] += (r0)[i];                        \
      at[1] += (r1)[i];                        \
      at[2] += (r2)[i];                        \
      at[3] += (r3)[i];                        \
    }                                          \
    for (int i = 0; i < 4; i++) (to)[i] += at[i]; \
  } while (0)
#define MAX(a, b) ((row)(((whole)(a) & ((a) > (b))) | ((whole)(b) & ~((a) > (b)))))
#define TRANSPOSE(rows)                      \
  do {                                       \
    for (int i = 0; i < 16; i++)             \
      for (int j = 0; j < i; j++) {          \
        float other = (rows)[i][j];          \
        (rows)[i][j] = (rows)[j][i];         \
        (rows)[j][i] = other;                \
      }                                      \
  } while (0)
