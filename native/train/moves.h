/* Between arrays and the rows of a block, compiled once for each instruction set. */

INLINE float *NAME(place)(const struct bw_train_move *move, int64_t f) {
  const struct bw_train_array *array = move->array;
  return array->at + move->first * array->to_sample + (move->places ? move->places[f] : f * array->to_feature);
}

static void NAME(pack)(const struct bw_train_move *move, void *rows) {
  const int64_t n_samples = move->end - move->first, apart = move->array->to_sample, size = 1 + move->half;
  row numbers[2] = {{0}, {0}};
  float *each = (float *)numbers;
  for (int64_t f = 0; f < move->n; f++) {
    const float *from = NAME(place)(move, f);
    int64_t slot = move->slots ? move->slots[f] : f;
    if (apart == 1 && n_samples == LANES)
      memcpy(each, from, sizeof(row));
    else if (apart == 1)
      memcpy(each, from, sizeof(float) * (size_t)n_samples);
    else
      for (int64_t s = 0; s < n_samples; s++) each[s] = from[s * apart];
    if (move->kind == WIDE)
      memcpy((row *)rows + slot * size, numbers, sizeof(row) * (size_t)size);
    else if (move->kind == HALF_VALUES)
      NAME(put)(numbers, HAS_HALF, ROW(rows, slot));
    else
      NAME(put_grad)(numbers, HAS_HALF && move->kind == HALF_GRADS, ROW(rows, slot));
  }
}

static void NAME(unpack)(const struct bw_train_move *move, const void *rows) {
  const int64_t n_samples = move->end - move->first, apart = move->array->to_sample, size = 1 + move->half;
  row numbers[2] = {{0}, {0}};
  const float *each = (const float *)numbers;
  for (int64_t f = 0; f < move->n; f++) {
    float *to = NAME(place)(move, f);
    int64_t slot = move->slots ? move->slots[f] : f;
    if (move->kind == WIDE)
      memcpy(numbers, (const row *)rows + slot * size, sizeof(row) * (size_t)size);
    else if (move->kind == HALF_VALUES)
      NAME(get)(ROW(rows, slot), HAS_HALF, numbers);
    else
      NAME(get_grad)(ROW(rows, slot), HAS_HALF && move->kind == HALF_GRADS, numbers);
    if (move->adds) {
      if (apart == 1 && n_samples == LANES)
        for (int64_t s = 0; s < LANES; s++) to[s] += each[s];
      else
        for (int64_t s = 0; s < n_samples; s++) to[s * apart] += each[s];
    } else if (apart == 1 && n_samples == LANES)
      memcpy(to, each, sizeof(row));
    else if (apart == 1)
      memcpy(to, each, sizeof(float) * (size_t)n_samples);
    else
      for (int64_t s = 0; s < n_samples; s++) to[s * apart] = each[s];
  }
}
