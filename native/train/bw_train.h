/* Forward and backward of layers of two-input logic gates, for training: a library of its own beside bw_run.
 *
 * Values are float32 and feature-major: row f holds one feature of all samples, `batch` numbers, rows next to each other.
 * A gate with truth table w reads rows a and b: y = c0 + ca a + (cb + cab a) b with c0 = w00, ca = w10 - w00,
 * cb = w01 - w00, cab = w11 - w10 - w01 + w00. Nothing is allocated; nothing is global. */
#ifndef BW_TRAIN_H
#define BW_TRAIN_H

#include <stdint.h>

#if defined(_WIN32)
#define BW_TRAIN_API __declspec(dllexport)
#else
#define BW_TRAIN_API __attribute__((visibility("default")))
#endif

BW_TRAIN_API int bw_train_abi(void);

/* logits [n_gates][16] -> tables [n_gates][4], the softmax's mean of the 16 truth tables; probabilities
 * [n_gates][16] are kept for the way back. */
BW_TRAIN_API void bw_train_gates16(const float *logits, int64_t n_gates, float *tables, float *probabilities);
BW_TRAIN_API void bw_train_gates16_back(const float *probabilities, const float *tables, const float *grad_tables,
                                        int64_t n_gates, float *grad_logits);

/* x [n_in][batch], wiring [2][n_gates] -> y [n_gates][batch]. */
BW_TRAIN_API void bw_train_forward(const float *x, const int32_t *wiring, const float *tables, int64_t n_in,
                                   int64_t n_gates, int64_t batch, float *y);

/* grad_y [n_gates][batch] -> grad_tables [n_gates][4] and, where it is not NULL, grad_x [n_in][batch]: both in one pass
 * over the gates, a block of samples at a time, always in the same order. */
BW_TRAIN_API void bw_train_backward(const float *x, const int32_t *wiring, const float *tables, const float *grad_y,
                                    int64_t n_in, int64_t n_gates, int64_t batch, float *grad_tables, float *grad_x);
#endif
