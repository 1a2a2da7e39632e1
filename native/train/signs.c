/* Sign layers: which loops this CPU has, and shares of a pass for its threads. */
#include "best.h"
#include "shares.h"
#include "sign_loops.h"

static const struct bw_train_sign_loops *best(void) {
  BW_TRAIN_RETURN_BEST(bw_train_sign_loops);
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static void part_of_pass(const void *data, int64_t share) {
  const struct bw_train_pass *pass = data;
  int64_t first = share * BW_TRAIN_CHUNK;
  best()->pass(pass, first, smaller(first + BW_TRAIN_CHUNK, pass->n), pass->sums ? pass->sums + 2 * share : 0);
}

static void noise_there(const void *data, int64_t share) {
  const struct bw_train_noise *noise = data;
  int64_t first = share * BW_TRAIN_CHUNK_ROWS;
  best()->noise(noise, first, smaller(first + BW_TRAIN_CHUNK_ROWS, noise->pass.n));
}

static void noise_back(const void *data, int64_t share) {
  const struct bw_train_noise *noise = data;
  int64_t first = share * BW_TRAIN_CHUNK_ROWS;
  float *sums = noise->sums + share * 2 * noise->width * noise->n_features;
  best()->noise_back(noise, first, smaller(first + BW_TRAIN_CHUNK_ROWS, noise->pass.n), sums);
}

static void rprelu_there(const void *data, int64_t share) {
  const struct bw_train_rprelu *job = data;
  int64_t first = share * BW_TRAIN_CHUNK_ROWS;
  best()->rprelu(job, first, smaller(first + BW_TRAIN_CHUNK_ROWS, job->pass.n));
}

static void rprelu_back(const void *data, int64_t share) {
  const struct bw_train_rprelu *job = data;
  int64_t first = share * BW_TRAIN_CHUNK_ROWS;
  float *sums = job->sums + share * 3 * job->n_features;
  best()->rprelu_back(job, first, smaller(first + BW_TRAIN_CHUNK_ROWS, job->pass.n), sums);
}

static void share_out(const struct bw_train_pass *pass, int64_t chunk, const void *data, bw_train_share_of *work) {
  const struct shares shares = {(pass->n + chunk - 1) / chunk, pass->n_threads, 0, pass->parallel};
  bw_train_share_out(&shares, data, work);
}

void bw_train_run_pass(const struct bw_train_pass *pass) { share_out(pass, BW_TRAIN_CHUNK, pass, part_of_pass); }

void bw_train_noise(const struct bw_train_noise *noise, int back) {
  share_out(&noise->pass, BW_TRAIN_CHUNK_ROWS, noise, back ? noise_back : noise_there);
}

void bw_train_rprelu(const struct bw_train_rprelu *job, int back) {
  share_out(&job->pass, BW_TRAIN_CHUNK_ROWS, job, back ? rprelu_back : rprelu_there);
}
