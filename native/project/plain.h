/* Plain loops for values of type T, named by NAME: one stage of butterflies after another. The compiler makes of them what
 * the including file's instruction set has. */

static void NAME(const bw_hadamard *h, const T *restrict x, T *restrict v, uint64_t *restrict out) {
    const T *t = h->t;
    const int32_t *flip = h->flip;
    for (uint64_t word = 0; word < h->n_words; word++) out[word] = 0;
    for (uint64_t block = 0; block < h->n_blocks; block++, t += h->size) {
        for (int round = 0; round < h->rounds; round++, flip += h->size) {
            if (round == 0)
                for (uint64_t j = 0; j < h->size; j++) v[j] = (x[j] ^ flip[j]) - flip[j];
            else
                for (uint64_t j = 0; j < h->size; j++) v[j] = ((v[j] >> h->shift) ^ flip[j]) - flip[j];
            for (uint64_t half = 1; half < h->size; half *= 2)
                for (uint64_t i = 0; i < h->size; i += 2 * half)
                    for (uint64_t j = i; j < i + half; j++) {
                        T a = v[j], b = v[j + half];
                        v[j] = a + b;
                        v[j + half] = a - b;
                    }
        }
        for (uint64_t j = 0, n = block * h->size; j < h->size && n / 64 < h->n_words; j++, n++)
            out[n / 64] |= (uint64_t)(v[j] >= t[j]) << n % 64;
    }
}
