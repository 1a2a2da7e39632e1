/* Runs the net of a segment: tables by planes, then its counts, numbers of several groups transposed together. */
#include <string.h>
#include "joined.h"

static void gather_sources(const bw_step *step, bw_block *block, uint8_t *to) {
    for (int i = 0; i < step->n_inputs; i++) {
        const size_t n_bytes = bw_n_planes(step->inputs[i]) * block->lanes->width;
        memcpy(to, bw_at(block, step->inputs[i]), n_bytes);
        to += n_bytes;
    }
}

/* Groups that count nothing. */
static void store_offsets(const bw_counter *c, const bw_block *block, uint8_t *to) {
    for (size_t s = 0; s < block->n_samples; s++, to += c->out->bytes)
        for (uint64_t g = 0; g < c->n_groups; g++) {
            if (c->out->store == BW_STORE_I32) ((int32_t *)to)[g] = (int32_t)c->offsets[g];
            else ((int64_t *)to)[g] = c->offsets[g];
        }
}

/* The square's rows are samples now: a term's number stands at bit `shift` of each word. A part of a score may leave
 * int32 on its way, so that it wraps; the score itself does not. */
static void add_term(const bw_counter *c, const bw_block *block, uint8_t *to, const bw_term *t, unsigned shift) {
    const size_t width = block->lanes->width, stride = c->out->bytes;
    const uint64_t mask = c->field == 16 ? 0xffff : 0xffffffff, sign = t->minus ? ~(uint64_t)0 : 0;
    const uint64_t offset = t->begins ? (uint64_t)c->offsets[t->group] : 0, keep = t->begins ? 0 : ~(uint64_t)0;
    const bool narrow = c->out->store == BW_STORE_I32;
    to += t->group * (narrow ? 4 : 8);
    for (size_t first = 0; first < block->n_samples; first += BW_SQUARE) {
        const size_t n = block->n_samples - first < BW_SQUARE ? block->n_samples - first : BW_SQUARE;
        const uint8_t *word = block->scratch + first / 8;
        uint8_t *at = to + first * stride;
        if (narrow)
            for (size_t s = 0; s < n; s++, word += width, at += stride) {
                const uint64_t number = (*(const uint64_t *)word >> shift & mask) ^ sign;
                *(uint32_t *)at = (*(uint32_t *)at & (uint32_t)keep) + (uint32_t)(number - sign + offset);
            }
        else
            for (size_t s = 0; s < n; s++, word += width, at += stride) {
                const uint64_t number = (*(const uint64_t *)word >> shift & mask) ^ sign;
                *(uint64_t *)at = (*(uint64_t *)at & keep) + number - sign + offset;
            }
    }
}

static void run_counter(const bw_net *net, const bw_counter *c, bw_block *block, const uint8_t *slots) {
    const size_t width = block->lanes->width;
    uint8_t *to = bw_at(block, c->out);
    if (c->empty_group) store_offsets(c, block, to);
    const unsigned together = BW_SQUARE / c->field;
    for (uint64_t t = 0; t < c->n_terms; t += together) {
        const unsigned n = c->n_terms - t < together ? (unsigned)(c->n_terms - t) : together;
        block->lanes->fill(block->scratch, false, BW_SQUARE);
        for (unsigned i = 0; i < n; i++) {
            const uint32_t tally = c->terms[t + i].tally;
            memcpy(block->scratch + i * c->field * width, slots + net->sums[tally] * width,
                   net->sum_planes[tally] * width);
        }
        block->lanes->transpose(block->scratch);
        for (unsigned i = 0; i < n; i++) add_term(c, block, to, &c->terms[t + i], i * c->field);
    }
}

void bw_run_joined(const bw_step *step, bw_block *block) {
    const bw_joined *d = step->data;
    const size_t width = block->lanes->width;
    uint8_t *slots = block->scratch + d->slots_at * width, *source = block->scratch + d->sources_at * width;
    if (d->gathered) gather_sources(step, block, source);
    else source = bw_at(block, step->inputs[0]);
    block->lanes->gates(d->net, source, slots, block->next_input, block->next_bytes);
    const bw_signal *signals = d->net->outputs;
    for (uint32_t i = 0; i < d->n_copies; i++) {
        const uint64_t n = bw_n_planes(d->copies[i]);
        block->lanes->copy(bw_at(block, d->copies[i]), 1, signals, n, source, slots, false);
        signals += n;
    }
    for (uint32_t i = 0; i < d->n_counters; i++) run_counter(d->net, &d->counters[i], block, slots);
}
