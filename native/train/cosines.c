/* Cosine layers: which loops this CPU has, and shares of a pass for its threads. */
#include "best.h"
#include "cosine_loops.h"
#include "shares.h"

static const struct bw_train_cosine_loops *best(void) {
  BW_TRAIN_RETURN_BEST(bw_train_cosine_loops);
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t all_bands(const struct bw_train_cosine *job) { return job->n_images * (job->height / job->pool_height); }

static void there(const void *data, int64_t share) {
  const struct bw_train_cosine *job = data;
  const int64_t first = share * job->bands;
  best()->cosine(job, first, smaller(first + job->bands, all_bands(job)));
}

static void back(const void *data, int64_t share) {
  const struct bw_train_cosine *job = data;
  const int64_t first = share * job->bands;
  best()->cosine_back(job, first, smaller(first + job->bands, all_bands(job)),
                      job->sums + share * 2 * job->n_features);
}

static int64_t rows_a_share(const struct bw_train_moments *job) { return job->n < 4096 ? 16384 / (job->n + 1) + 1 : 1; }

static void moments(const void *data, int64_t share) {
  const struct bw_train_moments *job = data;
  const int64_t first = share * rows_a_share(job);
  best()->moments(job, first, smaller(first + rows_a_share(job), job->n_rows));
}

static void moments_back(const void *data, int64_t share) {
  const struct bw_train_moments *job = data;
  const int64_t first = share * rows_a_share(job);
  best()->moments_back(job, first, smaller(first + rows_a_share(job), job->n_rows));
}

static void rasu(const void *data, int64_t share) {
  const struct bw_train_pass *pass = data;
  const int64_t first = share * BW_TRAIN_CHUNK;
  best()->rasu(pass, first, smaller(first + BW_TRAIN_CHUNK, pass->n));
}

static void rasu_back(const void *data, int64_t share) {
  const struct bw_train_pass *pass = data;
  const int64_t first = share * BW_TRAIN_CHUNK;
  best()->rasu_back(pass, first, smaller(first + BW_TRAIN_CHUNK, pass->n), pass->sums + 2 * share);
}

void bw_train_cosine(const struct bw_train_cosine *job, int is_back) {
  const struct shares shares = {(all_bands(job) + job->bands - 1) / job->bands, job->n_threads, 0, job->parallel};
  bw_train_share_out(&shares, job, is_back ? back : there);
}

void bw_train_moments(const struct bw_train_moments *job, int is_back) {
  const int64_t rows = rows_a_share(job);
  const struct shares shares = {(job->n_rows + rows - 1) / rows, job->n_threads, 0, job->parallel};
  bw_train_share_out(&shares, job, is_back ? moments_back : moments);
}

void bw_train_rasu(const struct bw_train_pass *pass, int is_back) {
  const struct shares shares = {(pass->n + BW_TRAIN_CHUNK - 1) / BW_TRAIN_CHUNK, pass->n_threads, 0, pass->parallel};
  bw_train_share_out(&shares, pass, is_back ? rasu_back : rasu);
}
