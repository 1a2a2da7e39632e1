/* What the loops need where the compiler alone makes the vectors. No rows of halves here: nothing asks for them. */
#define HAS_HALF 0
#define HALF_GET(at, to) ((to)[0] = *(const row *)(at))
#define HALF_PUT(from, at) (*(row *)(at) = (from)[0])
#define GRAD_GET(at, to) HALF_GET(at, to)
#define GRAD_PUT(from, at) HALF_PUT(from, at)
#define SAME(number) (number)
#define MULADD(a, b, c) ((a) * (b) + (c))
#define SUM4(r0, r1, r2, r3, to)               \
  do {                                         \
    row all_[4] = {r0, r1, r2, r3};            \
    for (int k = 0; k < 4; k++) {              \
      float sum = 0;                           \
      for (int i = 0; i < LANES; i++) sum += all_[k][i]; \
      (to)[k] += sum;                          \
    }                                          \
  } while (0)
#define MAX(a, b) ((row)(((whole)(a) & ((a) > (b))) | ((whole)(b) & ~((a) > (b)))))
#define SCALED(p, n) ((p) * (row)((__builtin_convertvector(n, whole) + 127) << 23))
#define TRANSPOSE(rows)                      \
  do {                                       \
    for (int i = 0; i < 16; i++)             \
      for (int j = 0; j < i; j++) {          \
        float other = (rows)[i][j];          \
        (rows)[i][j] = (rows)[j][i];         \
        (rows)[j][i] = other;                \
      }                                      \
  } while (0)
#define FOUR_ROWS(each, rows) \
  for (int g_ = 0; g_ < TILE; g_++) \
    for (int k = 0; k < 4; k++) (rows)[k][g_] = (each)[4 * g_ + k]
#define FOUR_EACH(rows, each) \
  for (int g_ = 0; g_ < TILE; g_++) \
    for (int k = 0; k < 4; k++) (each)[4 * g_ + k] = (rows)[k][g_]
